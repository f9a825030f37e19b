/** Sends one mail, or asks whether it could: in a process of its own, because Node reads NODE_EXTRA_CA_CERTS at its start. */
import { readFileSync } from 'node:fs';
import { emailMessenger } from '../../src/channels/email.ts';
import { adviceOf } from '../../src/channels/not-taken.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { someNotice } from './notices.ts';

const { inputs, what, milliseconds } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const messenger = emailMessenger(inputs);
const parts = { clock: systemClock, signal: AbortSignal.timeout(milliseconds) };
try {
  await (what === 'probe' ? messenger.probe?.(parts) : messenger.send(someNotice(), parts));
  console.log('told');
} catch (error) {
  console.log(`${(error as Error).message}\n${adviceOf(error)}`);
}
process.exit();
