/** Whether somebody else has looked at the plan of a restore before it is carried out. */
import type { AuditPlanned, Occasion } from './audit.ts';
import { BackupError, type ErrorCode } from './errors.ts';
import { isPlanFingerprint, PLAN_PARTS, type PlanMark, type PlanPart } from './plan-fingerprint.ts';
import { formatAge } from './words.ts';

/** A plan says what is true of a target for about so long. */
export const PLAN_HOURS = 24;
/** Clocks of runners differ; a record from further ahead was made up. */
const CLOCKS_DIFFER_MS = 10 * 60_000;

/** The record of a plan, and where it lies. */
export interface KeptPlan {
  uri: string;
  record: AuditPlanned;
}

export interface Confirmation {
  /** The input, as it was typed. */
  confirm?: string;
  /** Of what this run would do. */
  mark: PlanMark;
  /** For words: the backup of this run. */
  backupId: string;
  /** Who runs it: {@link namesOf}. */
  names: readonly string[];
  plans: readonly KeptPlan[];
  now: Date;
}

/** Accounts of GitHub: who started a run, and who started this attempt of it. */
type Starters = Pick<Occasion, 'actor' | 'triggeringActor'>;

/**
 * The accounts of GitHub behind a run: who started it, and who started it again. Logins know no case. Those of apps are
 * left out, because anybody can make one of them start a workflow.
 *
 * @throws BackupError `ERR_PERSON_UNKNOWN` when nobody is left
 */
export function namesOf(run: Starters): readonly string[] {
  const names = startersOf(run);
  const people = names.filter((name) => !name.endsWith('[bot]'));
  if (people.length > 0) return people;
  throw refused(
    'ERR_PERSON_UNKNOWN',
    `GitHub names ${names.length === 0 ? 'nobody' : `only ${names.join(' and ')}, which is no person,`} as the one who started this run, so nobody can tell two people apart`,
    'Start the workflow by hand, with an account of a person.',
  );
}

/**
 * The plan that `confirm` names, if it is that of this run, not older than {@link PLAN_HOURS} and of another person.
 *
 * @throws BackupError `ERR_CONFIRM` (not confirmed), `ERR_PLAN_UNKNOWN`, `ERR_PLAN_OLD`, `ERR_PLAN_OWN`,
 * `ERR_PLAN_DIFFERS`; all of them before anything is touched
 */
export function confirmedPlan({ confirm = '', mark, backupId, names, plans, now }: Confirmation): KeptPlan {
  // Printed in quotes: for YAML some fingerprints are numbers.
  const typed = confirm
    .trim()
    .replaceAll(/^['"]|['"]$/g, '')
    .toLowerCase();
  if (typed === '') {
    throw refused('ERR_CONFIRM', 'This restore needs a second person, and `confirm` is empty', ANEW);
  }
  if (!isPlanFingerprint(typed)) {
    throw refused(
      'ERR_PLAN_UNKNOWN',
      `\`confirm\` is ${JSON.stringify(confirm)}, which is no fingerprint of a plan: that has 12 digits and letters from a to f`,
      ANEW,
    );
  }
  const named = plans.filter(({ record }) => record.fingerprint === typed);
  const [newest] = named.toSorted((left, right) => (left.record.startedAt < right.record.startedAt ? 1 : -1));
  if (newest === undefined) {
    throw refused('ERR_PLAN_UNKNOWN', `No dry run has left a plan with the fingerprint ${typed} in \`_audit/\``, ANEW);
  }
  const fresh = named.filter(({ record }) => isFresh(record, now));
  if (fresh.length === 0) throw old(newest.record, now);
  const theirs = fresh.find(({ record }) => !startersOf(record).some((name) => names.includes(name)));
  if (theirs === undefined) throw own(fresh, names);
  if (typed !== mark.fingerprint) throw differs(theirs.record, mark, backupId);
  return theirs;
}

const ANEW =
  'Run it with `dry-run: true`: its summary prints the plan and what to type. Then somebody else carries it out with that.';

function isFresh({ startedAt }: AuditPlanned, now: Date): boolean {
  const age = now.getTime() - Date.parse(startedAt);
  return age <= PLAN_HOURS * 3_600_000 && age >= -CLOCKS_DIFFER_MS;
}

/** Each once, in small letters. */
function startersOf({ actor, triggeringActor = '' }: Starters): string[] {
  const names = [actor, triggeringActor].map((name) => name.trim().toLowerCase());
  return [...new Set(names.filter((name) => name !== ''))];
}

function old({ fingerprint, startedAt, actor }: AuditPlanned, now: Date): BackupError {
  const seconds = (now.getTime() - Date.parse(startedAt)) / 1000;
  const when = seconds < 0 ? `dated ${startedAt}, which is still to come` : `${formatAge(seconds)} old`;
  return refused(
    'ERR_PLAN_OLD',
    `The plan ${fingerprint} of ${actor} is ${when}; a plan holds for ${PLAN_HOURS} hours`,
    ANEW,
  );
}

function own(plans: readonly KeptPlan[], names: readonly string[]): BackupError {
  const both = names.filter((name) => plans.some(({ record }) => startersOf(record).includes(name)));
  const [plan] = plans;
  return refused(
    'ERR_PLAN_OWN',
    `${both.join(' and ')} had a hand in the plan ${plan?.record.fingerprint} as well as in this run, and a second person is asked for`,
    'Let somebody else start the workflow: a new run of their own, not this one again, which keeps the name of who started it.',
  );
}

const PART_WORDS: Readonly<Record<Exclude<PlanPart, 'backup'>, string>> = {
  target: 'the target is another, or the databases that it would make',
  inputs:
    'inputs are others: `strategy`, `schemas`, `tables`, `critical-tables`, `owner`, `privileges`, `create-roles`, `accept-partial`, `safety-backup`, `pause-writes`, `after-restore-sql` or `after-restore-command`',
  entries: 'something else of the backup would be brought back, or left out',
  drops: 'something else would be dropped or emptied first',
};

function differs({ fingerprint, parts, backup }: AuditPlanned, mark: PlanMark, backupId: string): BackupError {
  const changed = PLAN_PARTS.filter((part) => parts[part] !== mark.parts[part]);
  // With another backup the rest is another too: names of databases hold its id.
  const told = changed.includes('backup') ? changed.filter((part) => ['backup', 'inputs'].includes(part)) : changed;
  const words = told.map((part) => {
    if (part !== 'backup') return PART_WORDS[part];
    return backup.id === backupId
      ? `the archive of ${backupId} is not the one that it was`
      : `the backup is ${backupId} now, and was ${backup.id}`;
  });
  return refused(
    'ERR_PLAN_DIFFERS',
    [`This run would not do what the plan ${fingerprint} says`, ...words].join('\n- '),
    `Run it with \`dry-run: true\` again and look at what is new${
      backup.id === backupId ? '' : `; or name the backup that was meant: \`backup: ${backup.id}\``
    }.`,
  );
}

function refused(code: ErrorCode, message: string, hint: string): BackupError {
  return new BackupError(code, message, { op: 'ask for a second person', hint: `${hint} Nothing was touched.` });
}
