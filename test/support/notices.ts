/** A message as a channel is given it. */
import { failureNotice, type Notice } from '../../src/report/notice.ts';

export function someNotice(): Notice {
  const words = {
    command: 'backup',
    code: 'ERR_AUTH',
    outcome: 'failed',
    title: 'The backup of "shop" failed (ERR_AUTH)',
    happened: 'The password was refused',
    problems: [],
    causes: [],
    safety: 'Older backups are untouched.',
    action: 'Correct it.\n.\nAnd look: ümläut 🚨',
    toType: [],
  } as const;
  const gravity = { level: 'warning', why: 'usual' } as const;
  const about = { command: 'backup', series: 'shop', at: new Date('2026-11-22T02:04:10Z'), id: 'one' };
  return failureNotice(
    'failure',
    'it is the first',
    { words, gravity, good: { known: 'none' } },
    about,
    (text) => text,
  );
}
