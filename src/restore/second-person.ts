/** `require-second-person`: a dry run keeps its plan in `_audit/`, and the restore asks whether another person made it. */
import { randomBytes } from 'node:crypto';
import type { Target } from '../backup/destinations.ts';
import type { PlanToConfirm } from '../command.ts';
import {
  AUDIT_SCHEMA_VERSION,
  type AuditPlanned,
  type AuditStarted,
  auditKey,
  auditPrefix,
  type Occasion,
  parseAudit,
  parseAuditKey,
} from '../domain/audit.ts';
import { RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type PlanMark, planMark } from '../domain/plan-fingerprint.ts';
import { confirmedPlan, type KeptPlan, namesOf, PLAN_HOURS } from '../domain/second-person.ts';
import type { Storage } from '../ports.ts';
import { readBytes } from '../storage/write-object.ts';
import { readAfterRestoreSql } from './after-restore.ts';
import { archiveDigest } from './archive-digest.ts';
import {
  auditSeries,
  auditSubject,
  nowhereWritten,
  putAudit,
  type RestoreParts,
  writeEverywhere,
} from './audit-records.ts';

/** Of one folder, the newest first: restores are rare. */
const PLANS_READ = 100;
/** A record is 2 KiB. What is larger is none, and is not read. */
const MAX_RECORD_BYTES = 256 * 1024;

export interface SecondPersonParts extends RestoreParts {
  /** Every destination of `storage`; at least one. */
  targets: readonly Target[];
  occasion: Occasion;
}

/**
 * In a dry run that asks for it: writes the plan to every destination, the only thing that a dry run leaves. One of
 * several that does not take it is a warning.
 * @throws BackupError `ERR_PERSON_UNKNOWN`; the first destination's error when none takes it
 */
export async function keepPlan(parts: SecondPersonParts): Promise<PlanToConfirm | undefined> {
  const { targets, occasion, context, found, inputs } = parts;
  if (!inputs.requireSecondPerson) return undefined;
  const plannedBy = namesOf(occasion);
  const mark = await markOf(parts);
  const record: AuditPlanned = { ...HEAD, ...occasion, ...auditSubject(parts), ...mark };
  const { series } = auditSeries(parts);
  const at = new Date(occasion.startedAt);
  const key = auditKey(series, at, randomSuffix(randomBytes(RANDOM_CHARACTERS)), 'planned');
  const { written, lost } = await writeEverywhere(
    targets,
    ({ storage }) => putAudit(storage, key, record),
    'The plan can be confirmed by what the other destinations hold.',
  );
  context.signal.throwIfAborted();
  if (written.length === 0) {
    throw nowhereWritten(lost, '`require-second-person` needs the right to write below `_audit/` in the dry run too.');
  }
  return {
    fingerprint: mark.fingerprint,
    uris: written.map(({ storage }) => storage.uri(key)),
    until: new Date(at.getTime() + PLAN_HOURS * 3_600_000).toISOString(),
    plannedBy,
    typed: [
      // The newest backup may be another one by then. What was named by its place is named by it again.
      ...(inputs.selector.kind === 'location' ? [] : [`backup: ${found.source.id}`]),
      'dry-run: false',
      `confirm: '${mark.fingerprint}'`,
    ],
    findings: lost.map(({ finding }) => finding),
  };
}

export interface SecondPerson {
  /** What the audit records say of it. */
  record: Pick<AuditStarted, 'confirmedPlan'>;
  findings: readonly Finding[];
}

/**
 * Before a restore that asks for it: looks in every destination for the plan that `confirm` names. Reads only.
 * @throws BackupError what `namesOf` and `confirmedPlan` throw; the first destination's error when none can be read
 */
export async function askSecondPerson(parts: SecondPersonParts): Promise<SecondPerson> {
  const { targets, occasion, inputs, context, found, timeline } = parts;
  if (!inputs.requireSecondPerson) return { record: {}, findings: [] };
  const names = namesOf(occasion);
  const mark = await markOf(parts);
  const { plans, findings } = await readPlans(targets, auditSeries(parts).series, context.signal);
  const { confirm } = inputs;
  const { uri, record } = confirmedPlan({
    ...(confirm === undefined ? {} : { confirm }),
    ...{ mark, names, plans },
    backupId: found.source.id,
    now: context.clock.now(),
  });
  const { fingerprint, startedAt: plannedAt, actor, triggeringActor } = record;
  timeline.note(`The plan ${fingerprint} of ${actor} was confirmed by ${names.join(' and ')}`);
  const again = triggeringActor === undefined ? {} : { triggeringActor };
  return { record: { confirmedPlan: { fingerprint, uri, plannedAt, actor, ...again } }, findings };
}

const HEAD = { schemaVersion: AUDIT_SCHEMA_VERSION, command: 'restore' } as const;

async function markOf({ inputs, found, facts, settled }: SecondPersonParts): Promise<PlanMark> {
  const { strategy, entries, drop } = settled;
  const { id, series } = found.source;
  const { afterRestoreSql, afterRestoreCommand } = inputs;
  return planMark({
    backup: { id, ...(series === undefined ? {} : { series }), sha256: await archiveDigest(found, settled) },
    target: { fingerprint: facts.fingerprint, source: facts.source },
    strategy,
    inputs: {
      schemas: inputs.schemas,
      tables: inputs.tables,
      criticalTables: inputs.criticalTables,
      owner: inputs.owner,
      privileges: inputs.privileges,
      createRoles: inputs.createRoles,
      acceptPartial: inputs.acceptPartial,
      safetyBackup: inputs.safetyBackup,
      pauseWrites: inputs.pauseWrites,
      ...(afterRestoreSql === undefined ? {} : { afterRestoreSql: await readAfterRestoreSql(afterRestoreSql) }),
      ...(afterRestoreCommand === undefined ? {} : { afterRestoreCommand }),
    },
    ...(entries === undefined ? {} : { entries }),
    ...(drop === undefined ? {} : { drop }),
  });
}

/** Records that can be read; the others, and destinations that cannot, are warnings. */
export async function readPlans(
  targets: readonly Target[],
  series: string | undefined,
  signal: AbortSignal,
): Promise<{ plans: KeptPlan[]; findings: Finding[] }> {
  const plans: KeptPlan[] = [];
  const findings: Finding[] = [];
  const errors: BackupError[] = [];
  for (const { storage } of targets) {
    try {
      for (const key of await planKeys(storage, series)) {
        const plan = await readPlan(storage, key);
        if (plan === undefined) continue;
        if ('severity' in plan) findings.push(plan);
        else plans.push(plan);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BackupError)) throw error;
      errors.push(error);
      findings.push(unreadable(storage, error));
    }
  }
  const [first] = errors;
  if (first !== undefined && errors.length === targets.length) throw first;
  return { plans, findings };
}

/** The newest, by their names. */
async function planKeys(storage: Storage, series: string | undefined): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key, sizeBytes } of storage.list(auditPrefix(series))) {
    if (parseAuditKey(key)?.part === 'planned' && sizeBytes <= MAX_RECORD_BYTES) keys.push(key);
  }
  return keys.sort().reverse().slice(0, PLANS_READ);
}

/** `undefined` when it is gone by now. */
async function readPlan(storage: Storage, key: string): Promise<KeptPlan | Finding | undefined> {
  const uri = storage.uri(key);
  try {
    const record = parseAudit('planned', (await readBytes(storage, key)).toString('utf8'));
    const isItsTime = Math.floor(Date.parse(record.startedAt) / 1000) * 1000 === parseAuditKey(key)?.at.getTime();
    return isItsTime ? { uri, record } : doubtful(uri, `it says that it is of ${record.startedAt}`);
  } catch (error) {
    if (!(error instanceof BackupError) || !['ERR_STORAGE_MISSING', 'ERR_MANIFEST'].includes(error.code)) throw error;
    return error.code === 'ERR_STORAGE_MISSING' ? undefined : doubtful(uri, error.message);
  }
}

function doubtful(uri: string, why: string): Finding {
  return {
    code: 'plan-unreadable',
    severity: 'warning',
    seen: `${uri} does not count as the plan of a dry run: ${why}`,
    action: 'Look who wrote it; only those who restore should have the right to write there.',
  };
}

function unreadable({ location }: Storage, error: BackupError): Finding {
  return {
    code: 'plans-unreadable',
    severity: 'warning',
    seen: `Plans of dry runs could not be read from ${location}: ${error.message}`,
    action: error.hint,
  };
}
