/** From a streamed archive to a committed set: judge, write the small objects, and the manifest last. */
import { randomBytes } from 'node:crypto';
import type { BackupResult, PhaseTiming } from '../command.ts';
import { serializeContents } from '../domain/contents.ts';
import { publicWarnings } from '../domain/dump-messages.ts';
import { assessLeftOut } from '../domain/left-out.ts';
import type { Storage } from '../ports.ts';
import { compareWithPast } from './compare.ts';
import { contentsOf, judge, manifestOf, type SetEvidence } from './describe.ts';
import { restoreGuide } from './guide.ts';
import type { Taken, TakeParts } from './take.ts';

/** Random per set, so that nobody can look a table's name up across sets. */
const SALT_BYTES = 16;

export interface FinishParts extends TakeParts {
  storage: Storage;
  taken: Taken;
  startedAt: Date;
  preparedAt: Date;
}

/** Commits the set, proven or not. Rejects when anything cannot be stored; the caller discards. */
export async function finish(parts: FinishParts): Promise<BackupResult> {
  const { context, inputs, prepared, set, storage, taken } = parts;
  await set.commitArchive();
  if (typeof taken.globals === 'string') await set.seal('globals', Buffer.from(taken.globals, 'utf8'));
  const evidence = (): SetEvidence => ({ id: set.id, inputs, prepared, taken, objects: set.objects });
  const checks = judge(evidence());
  for (const { id, status, reason } of checks) context.log.info(`${id}: ${status}. ${reason}`);
  const contents = contentsOf(evidence(), checks);
  await set.seal('contents', Buffer.from(serializeContents(contents), 'utf8'));
  const guide = restoreGuide(evidence(), inputs.destinations[0], storage.location, context.env);
  await set.writeGuide(guide.text);
  const finishedAt = context.clock.now();
  const moments = { startedAt: parts.startedAt, preparedAt: parts.preparedAt, finishedAt };
  const salt = randomBytes(SALT_BYTES).toString('hex');
  const plain = manifestOf(evidence(), contents, salt, moments, context.version);
  const past = {
    manifests: prepared.history.manifests,
    source: prepared.source,
    acceptNewSource: inputs.acceptNewSource,
    maxChangePercent: inputs.maxSizeChangePercent,
  };
  const compared = compareWithPast(past, plain, contents, taken.facts.tables);
  const manifest = { ...plain, warnings: [...publicWarnings(taken.warnings), ...compared.warnings] };
  context.tell({ stage: 'committing' });
  const marker = await set.commit(manifest);
  context.tell({ stage: 'committed' });
  return {
    command: 'backup',
    manifest,
    contents,
    ...(prepared.provider === undefined ? {} : { provider: prepared.provider.name }),
    location: storage.location,
    backupUri: set.uri(),
    manifestUri: storage.uri(marker.key),
    restoreGuideUri: set.uri('RESTORE.md'),
    restoreCommand: guide.command,
    findings: [...prepared.findings, ...taken.warnings, ...assessLeftOut(taken.facts), ...compared.findings],
    timings: timingsOf(parts, finishedAt),
  };
}

function timingsOf({ startedAt, preparedAt, taken }: FinishParts, finishedAt: Date): PhaseTiming[] {
  const preflight = (preparedAt.getTime() - startedAt.getTime()) / 1000;
  const total = (finishedAt.getTime() - startedAt.getTime()) / 1000;
  return [
    { phase: 'preflight and snapshot', seconds: preflight },
    { phase: 'dump, proof and upload', seconds: taken.dumpSeconds },
    { phase: 'storing the set', seconds: total - preflight - taken.dumpSeconds },
  ];
}
