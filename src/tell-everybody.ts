/** How a run ended, told to everybody: the service that waits for it, the issue, and whoever hears of the alarm. */
import { type AlarmParts, soundAlarm } from './alarm/sound.ts';
import type { Announcements } from './channels/announce.ts';
import type { Channels } from './channels/tell.ts';
import type { Ending } from './report/ending.ts';

export interface TellParts extends Omit<AlarmParts, 'othersListen'> {
  channels: Channels;
  announcements: Announcements;
  /** ISO 8601 UTC, where it is known. */
  startedAt: string | undefined;
}

/**
 * The issue first: it says who was told before, and messages link to it. What comes of them is noted there in the end.
 * Never rejects; a cancellation leaves the rest to the post step.
 */
export async function tellEverybody(ending: Ending, parts: TellParts): Promise<void> {
  const { channels, announcements, startedAt, signal } = parts;
  const [sounded] = await Promise.all([
    soundAlarm(ending, { ...parts, othersListen: announcements.isHeard }),
    channels.ended({ ending, startedAt, signal }),
  ]);
  const { told, untold } = await announcements.ended({ ...sounded, ending, startedAt, signal });
  if (signal.aborted) return;
  await sounded.remember(told);
  if (untold.length > 0) await sounded.note(untold.join(' '));
}
