/** From a stored archive to a committed set: judge, write the small objects, and the manifest last. */
import { randomBytes } from 'node:crypto';
import type { BackupResult, PhaseTiming } from '../command.ts';
import { newestProven } from '../domain/alarm/good-backup.ts';
import type { Check } from '../domain/checks.ts';
import { type Contents, serializeContents } from '../domain/contents.ts';
import { publicWarnings } from '../domain/dump-messages.ts';
import { assessLeftOut } from '../domain/left-out.ts';
import type { Manifest, ManifestWarning } from '../domain/manifest.ts';
import { checkRestore } from '../domain/proof/restore.ts';
import { OBJECT_NAMES } from '../domain/set-layout.ts';
import { compareWithPast } from './compare.ts';
import { contentsOf, judge, manifestOf, type SetEvidence } from './describe.ts';
import type { Destinations, Target } from './destinations.ts';
import { restoreGuide } from './guide.ts';
import type { Taken, TakeParts } from './take.ts';

/** Random per set, so that nobody can look a table's name up across sets. */
const SALT_BYTES = 16;

export interface FinishParts extends TakeParts {
  destinations: Destinations;
  taken: Taken;
  startedAt: Date;
  preparedAt: Date;
}

/** Commits the set, proven or not. Rejects when no destination can store it; the caller discards. */
export async function finish(parts: FinishParts): Promise<BackupResult> {
  const { context, destinations, inputs, prepared, set, taken } = parts;
  const begunAt = context.clock.now();
  if (typeof taken.globals === 'string') await set.seal('globals', Buffer.from(taken.globals, 'utf8'));
  const evidence = (target = destinations.first): SetEvidence => {
    return { id: set.id, inputs, prepared, taken, objects: set.at(target).objects };
  };
  const restored = await checkTrial(parts, contentsOf(evidence(), []));
  const restoredAt = context.clock.now();
  const objects = destinations.alive.flatMap((target) => set.at(target).objects);
  const checks = judge({ inputs, taken, objects }, restored);
  for (const { id, status, reason } of checks) context.log.info(`${id}: ${status}. ${reason}`);
  const contents = contentsOf(evidence(), checks);
  await set.seal('contents', Buffer.from(serializeContents(contents), 'utf8'));
  const guideFor = (target: Target) => restoreGuide(evidence(target), target, context.env);
  await set.writeGuides((target) => guideFor(target).text);
  await set.lookAgain();
  const finishedAt = context.clock.now();
  const moments = { startedAt: parts.startedAt, preparedAt: parts.preparedAt, finishedAt };
  const salt = randomBytes(SALT_BYTES).toString('hex');
  const plainManifest = (target: Target) => manifestOf(evidence(target), contents, salt, moments, context.version);
  const past = {
    manifests: prepared.history.manifests,
    source: prepared.source,
    acceptNewSource: inputs.acceptNewSource,
    maxChangePercent: inputs.maxSizeChangePercent,
  };
  const compared = compareWithPast(past, plainManifest(destinations.first), contents, taken.facts.tables);
  const manifestFor = (target: Target): Manifest => ({
    ...plainManifest(target),
    warnings: [...publicWarnings(taken.warnings), ...compared.warnings, ...missingCopies(destinations)],
  });
  context.signal.throwIfAborted();
  // Not the first of `storage`, where that was lost: whoever must look for the manifest looks there.
  const places = destinations.alive.map((target) => set.at(target).uri());
  context.tell({ stage: 'committing', location: destinations.first.storage.location, backupUri: places.join(' or ') });
  await set.commit(manifestFor);
  const { first } = destinations;
  const stored = set.at(first);
  const manifest = manifestFor(first);
  context.tell({
    stage: 'committed',
    location: first.storage.location,
    backupUri: stored.uri(),
    // What an alarm about a lost destination points to.
    ...(manifest.verdict === 'proven' ? { lastGood: newestProven([manifest], () => stored.uri()) } : {}),
  });
  return {
    command: 'backup',
    outcome: 'taken',
    manifest,
    contents,
    ...(prepared.provider === undefined ? {} : { provider: prepared.provider.name }),
    copies: destinations.alive.map((target) => set.at(target).uri()),
    lost: destinations.lost.map(({ target, error }) => {
      return { location: target.storage.location, error, uncertain: set.at(target).isUncertain };
    }),
    location: first.storage.location,
    backupUri: stored.uri(),
    manifestUri: stored.uri(OBJECT_NAMES.manifest),
    restoreGuideUri: stored.uri(OBJECT_NAMES['restore-guide']),
    restoreCommand: guideFor(first).command,
    findings: [...prepared.findings, ...taken.warnings, ...assessLeftOut(taken.facts), ...compared.findings],
    timings: timingsOf(parts, restored === undefined ? undefined : { begunAt, restoredAt }, finishedAt),
  };
}

/** Without the names of places: one provider's bucket need not know of the other's. */
function missingCopies({ all, lost }: Destinations): ManifestWarning[] {
  if (lost.length === 0) return [];
  const message = `${lost.length} of the ${all.length} destinations of this run failed before it was done`;
  return [{ code: 'destination-lost', message }];
}

/** Absent when it was not asked for. */
async function checkTrial({ trial, taken }: FinishParts, contents: Contents): Promise<Check | undefined> {
  if (trial === undefined || !(taken.report instanceof Error)) return await trial?.check(contents);
  return checkRestore({ why: 'The archive could not be read, so there is nothing to compare with' });
}

function timingsOf(
  { startedAt, preparedAt, taken }: FinishParts,
  trial: { begunAt: Date; restoredAt: Date } | undefined,
  finishedAt: Date,
): PhaseTiming[] {
  const preflight = (preparedAt.getTime() - startedAt.getTime()) / 1000;
  const restore = trial === undefined ? 0 : (trial.restoredAt.getTime() - trial.begunAt.getTime()) / 1000;
  const total = (finishedAt.getTime() - startedAt.getTime()) / 1000;
  return [
    { phase: 'preflight and snapshot', seconds: preflight },
    { phase: 'dump, proof and upload', seconds: taken.dumpSeconds },
    ...(trial === undefined ? [] : [{ phase: 'rest of the restore and its proof', seconds: restore }]),
    { phase: 'storing the set', seconds: total - preflight - taken.dumpSeconds - restore },
  ];
}
