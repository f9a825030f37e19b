/** An address without TLS works, and somebody on the way can use it too. */
import { isLoopback } from '../domain/secret-url.ts';
import type { RunLog } from '../runner/log.ts';

export function warnOfPlain(input: string, url: URL, log: RunLog): void {
  if (url.protocol !== 'http:' || isLoopback(url)) return;
  log.annotate(
    'notice',
    `\`${input}\` begins with http://, so whoever listens on the way can use it too.\nGive it with https:// if there is one.`,
    'channel-plain',
  );
}
