/** Who hears of the alarm besides the issue. */
import type { Listener } from '../domain/notify/told.ts';
import type { Notice } from '../report/notice.ts';
import type { SendParts } from './channel.ts';

export interface Messenger {
  readonly name: Exclude<Listener, 'issue'>;
  /** That it was given by, for words. */
  readonly input: string;
  /** See `Hearer`. */
  readonly keepsState: boolean;
  /** Rejects with `NotTaken` when it was not told; no message holds a part of its address. */
  send(notice: Notice, parts: SendParts): Promise<void>;
  /** Asks whether it could be told, and tells nothing; absent where that cannot be asked. Rejects as `send` does. */
  probe?(parts: SendParts): Promise<void>;
}
