/** The one place that turns an error into words: what happened, to which backup, what is safe, what to do. */
import type { BackupResult, CommandResult, DryRun, LostCopy, RunNews } from '../command.ts';
import type { Check } from '../domain/checks.ts';
import { BackupError, type ErrorCode, InputError, messageOf } from '../domain/errors.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import { goingOn } from '../domain/words.ts';
import { describeUnhealthy } from './check-words.ts';
import { describeDoubts, type FailureWords, isOnlyCritical, titled } from './failure-words.ts';
import { describeUnpruned, pruneSafety } from './prune-report.ts';
import { describeUnprovenRecovery, recoverySafety, recoverySteps } from './recovery-failure.ts';
import { describeUnwell } from './status-words.ts';

const MAX_CAUSES = 6;
const MAX_CAUSE_CHARACTERS = 500;

/** Nothing is redacted here: that happens where words leave the process. */
export function describeFailure(error: unknown, news: Partial<RunNews>): FailureWords {
  const known = error instanceof BackupError ? error : unexpectedError(error);
  const inputs = error instanceof InputError ? error.problems : [];
  const wrong = inputs.map(({ input, message }) => `${input}: ${message}`);
  // Of a message that holds a list, each item is a line of its own wherever it is shown.
  const [message = '', ...items] = known.message.split('\n- ');
  const { code } = known;
  const { command = 'backup' } = news;
  return {
    ...titled({ command, code, outcome: 'failed' }, news.name),
    happened: wrong.length > 1 ? `${wrong.length} inputs are wrong` : message,
    problems: wrong.length > 1 ? wrong : items,
    causes: causesOf(known),
    safety: safetyOf(command, code, news),
    action: known.hint,
    toType: command === 'restore' || command === 'drill' ? recoverySteps(news) : [],
  };
}

function safetyOf(command: RunNews['command'], code: ErrorCode, news: Partial<RunNews>): string {
  switch (command) {
    case 'backup':
      return backupSafety(code, news);
    case 'prune':
      return pruneSafety(news);
    case 'status':
      return 'A status only reads: nothing was written or removed. That it failed says nothing about the backups.';
    case 'check':
      return 'A check only reads: nothing in the database was changed. Backups are untouched.';
    default:
      return recoverySafety(code, news);
  }
}

/** Why a run with a result fails all the same; `undefined` when it does not. */
export function describeTrouble(result: CommandResult): FailureWords | undefined {
  if (result.outcome === 'reused' || result.outcome === 'planned') return undefined;
  if (result.outcome === 'pruned') return describeUnpruned(result);
  if (result.outcome === 'watched') return describeUnwell(result);
  if (result.outcome === 'checked') return describeUnhealthy(result);
  if (result.command !== 'backup') return describeUnprovenRecovery(result);
  if (result.outcome === 'taken' && result.manifest.verdict !== 'proven') return describeUnproven(result);
  if (result.lost.length > 0) return describeIncomplete(result);
  return result.outcome === 'taken' ? describePruneAfter(result) : undefined;
}

/** A backup that is stored but not proven. */
function describeUnproven({ manifest, contents, copies, lost }: BackupResult): FailureWords {
  const doubtful = contents.checks.filter(({ status }) => status !== 'passed');
  return {
    ...titled({ command: 'backup', code: 'ERR_NOT_PROVEN', outcome: 'is stored, but not proven' }, manifest.name),
    ...describeDoubts(contents.checks),
    causes: [],
    safety: [
      `The backup was stored as unproven: ${copies.join(', ')}.`,
      worthOf(doubtful),
      ...lost.map((copy) => `${lostWords(copy)}.`),
      'Older backups are untouched.',
    ].join(' '),
    action:
      'Read why the checks did not pass, remove the reason, and run the backup again. Until then the newest proven backup is the one to trust.',
    toType: [],
  };
}

/** A run that ended well, but not at every destination. */
function describeIncomplete(result: BackupResult | DryRun): FailureWords {
  const { lost } = result;
  const code = lost[0]?.error.code ?? 'ERR_STORAGE';
  const command = 'backup';
  const number = `${lost.length} of several destinations`;
  return {
    ...(result.outcome === 'dry-run'
      ? titled({ command, code, outcome: `would fail at ${number}` }, result.name)
      : titled({ command, code, outcome: `is missing at ${number}` }, result.manifest.name)),
    happened: lost.map(lostWords).join('. '),
    problems: [],
    causes: lost.flatMap(({ error }) => causesOf(error)),
    safety:
      result.outcome === 'dry-run'
        ? 'Nothing was written: it was a dry run. Older backups are untouched.'
        : `The backup is complete and ${result.manifest.verdict} here: ${result.copies.join(', ')}. ${lost.map(leftAt).join(' ')} Older backups are untouched.`,
    action: [...new Set(lost.map(({ error }) => error.hint))].join(' '),
    toType: [],
  };
}

/** The backup is proven; what went wrong is the prune after it. */
function describePruneAfter({ manifest, copies, pruned }: BackupResult): FailureWords | undefined {
  const words = pruned === undefined ? undefined : describeUnpruned(pruned);
  if (words === undefined) return undefined;
  const { code } = words;
  return {
    ...words,
    ...titled({ command: 'backup', code, outcome: 'is proven, but old ones could not be pruned' }, manifest.name),
    safety: `The backup is complete and proven: ${copies.join(', ')}. ${words.safety}`,
  };
}

function lostWords({ location, error }: LostCopy): string {
  return `${location} failed: ${goingOn(error.message)}`;
}

function leftAt({ location, uncertain }: LostCopy): string {
  return uncertain
    ? `It is not certain whether it became visible in ${location}: look for its metadata.json there.`
    : `Nothing of it is visible in ${location}.`;
}

/** What a doubtful backup is good for: a failed check means that it is known to be wrong. */
function worthOf(doubtful: readonly Check[]): string {
  const failed = doubtful.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return 'It may well be good, but nobody knows.';
  if (!isOnlyCritical(failed))
    return 'A check FAILED: it does not hold what the database held. Restore from it only if there is nothing else.';
  return doubtful.length === 1
    ? 'It holds what the database held, and a critical table was empty there: if rows are gone, look for them in an older backup.'
    : 'A critical table is empty in it; whether the rest is good, nobody knows.';
}

/** The chain of causes and, of several at once, each; without what the message before has said already. */
function causesOf(error: Error): string[] {
  const causes: string[] = [];
  const seen = new Set<unknown>([error]);
  let said = error.message;
  let current: unknown = error.cause;
  while (current !== undefined && current !== null && !seen.has(current) && causes.length < MAX_CAUSES) {
    seen.add(current);
    const words = causeWords(current);
    if (words !== '' && !said.includes(words)) causes.push(words);
    said += `\n${words}`;
    current = current instanceof Error ? current.cause : undefined;
  }
  return causes;
}

function causeWords(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return [...new Set(cause.errors.slice(0, MAX_CAUSES).map(causeWords))].join('; ');
  }
  const text = messageOf(cause)
    .trim()
    .replaceAll(/\s*[\r\n]+\s*/g, '; ');
  return text.length > MAX_CAUSE_CHARACTERS ? `${text.slice(0, MAX_CAUSE_CHARACTERS)}…` : text;
}

function backupSafety(code: ErrorCode, news: Partial<RunNews>): string {
  const where = news.location === undefined ? '' : ` to ${news.location}`;
  const set = news.backupUri ?? news.backupId;
  const older = 'Older backups are untouched.';
  if (code === 'ERR_INPUT' && news.stage === undefined) {
    return `Nothing was read from the database and nothing was written. ${older}`;
  }
  switch (news.stage) {
    case 'writing':
      return `Nothing of this backup became visible${set === undefined ? '' : `: ${set} has no metadata.json, and without it a backup does not exist`}. ${older}`;
    case 'committing':
      return `It is not certain whether this backup became visible: look whether ${set ?? 'its folder'} holds a metadata.json. If it does, the backup is complete, and its verdict stands there. ${older}`;
    case 'committed':
      return `The backup itself is stored and complete: ${set ?? 'see its metadata.json'}. What failed came after it. ${older}`;
    case 'pruning':
      return `The backup itself is stored and complete: ${set ?? 'see its metadata.json'}. What failed is the prune after it. ${pruneSafety(news)}`;
    default:
      return `Nothing was written${where}. ${older}`;
  }
}
