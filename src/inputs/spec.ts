/**
 * Every input of the action: what it is called, which commands use it, how it is read, and the words that action.yml
 * and the README say about it. The one source of all of these.
 */
import type { InputSpec } from './input.ts';
import { BACKUP } from './spec/backup.ts';
import { CHANNELS } from './spec/channels.ts';
import { CHECK } from './spec/check.ts';
import { GENERAL } from './spec/general.ts';
import { PRUNE } from './spec/prune.ts';
import { RECOVERY } from './spec/recovery.ts';
import { STATUS } from './spec/status.ts';

export { COMMANDS, type CommandName, type InputSpec, type InputSpecs } from './input.ts';

export const INPUTS = { ...GENERAL, ...CHANNELS, ...BACKUP, ...RECOVERY, ...PRUNE, ...STATUS, ...CHECK } as const;

/** What every input's parser gives. */
export type InputValues = {
  [Name in keyof typeof INPUTS]: (typeof INPUTS)[Name] extends InputSpec<infer T> ? T : never;
};
