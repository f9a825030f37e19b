/** What a prune says at its end: job summary, last line of the log, and the words of what went wrong. */
import type { RunNews } from '../command.ts';
import type { LifecycleProposal, PrunedDestination, PruneResult } from '../domain/retention/result.ts';
import type { Decision } from '../domain/retention.ts';
import { countOf, goingOn } from '../domain/words.ts';
import { type FailureWords, titled } from './failure-words.ts';
import { Markdown } from './markdown.ts';
import { worthInWords } from './prune-plan.ts';
import { findingsSection, troubleSection } from './sections.ts';

/** Of each kind and destination; the log has all of them. */
const ROWS_SHOWN = 200;

/** Pure; every word from outside is redacted and escaped. */
export function pruneSummary(result: PruneResult, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const trouble = describeUnpruned(result);
  const sign = trouble !== undefined ? '❌ Failed' : result.dryRun ? 'ℹ️ Dry run of a' : '✅';
  const title = `## ${sign} ${trouble === undefined && !result.dryRun ? 'Prune' : 'prune'} of ${md.code(result.name)}`;
  return [
    title,
    ...(result.dryRun ? ['Nothing was touched, and **nothing was removed**.'] : []),
    ...troubleSection(trouble, md),
    ...pruneSections(result, md),
    ...findingsSection(result.findings, md),
  ].join('\n\n');
}

/** Without title and findings, for a backup that pruned afterwards. */
export function pruneSections(result: PruneResult, md: Markdown): string[] {
  return [
    `Policy: ${result.policy.map((rule) => md.code(rule)).join(', ')}`,
    ...result.destinations.flatMap((destination) => destinationSection(destination, result, md)),
    ...(result.lifecycle?.proposals ?? []).flatMap((proposal) => proposalSection(proposal, md)),
  ];
}

function destinationSection(destination: PrunedDestination, { dryRun }: PruneResult, md: Markdown): string[] {
  const { location, plan, removed, left, cleared, records, error } = destination;
  const title = `### ${md.code(location)}`;
  if (plan === undefined) return [title, `No plan could be made: ${md.text(error?.message ?? '')}`];
  const all = plan.remove.length;
  const gone = dryRun
    ? `${all} to be removed`
    : removed.length === all
      ? `${all} removed`
      : `${removed.length} of ${all} removed`;
  const more = [
    ...(cleared.length === 0
      ? []
      : [`${countOf(cleared.length, 'broken-off set')} ${dryRun ? 'to be cleared away' : 'cleared away'}`]),
    ...(records === 0 ? [] : [`${countOf(records, 'old record')} ${dryRun ? 'to be removed' : 'removed'}`]),
  ];
  const facts = [`**${countOf(plan.keep.length, 'backup')} kept, ${gone}**`, ...more].join(', ');
  return [
    title,
    `${facts}.`,
    ...table(plan.remove, dryRun || (error !== undefined && removed.length === 0) ? 'would be removed' : 'goes', md),
    ...table(plan.keep, 'stays', md),
    ...(left.length === 0
      ? []
      : ['Still there:', left.map(({ id, why }) => `- ${md.code(id)}: ${md.text(why)}`).join('\n')]),
  ];
}

function proposalSection({ location, configuration, command }: LifecycleProposal, md: Markdown): string[] {
  return [
    `### Rules for the bucket of ${md.code(location)}`,
    'They fit the policy and delete no backup. Setting them replaces **all** rules that the bucket has: add those of yours that are to stay. Save them as `lifecycle.json`, then:',
    md.block(command, 'sh'),
    md.block(configuration, 'json'),
  ];
}

function table(decisions: readonly Decision[], heading: string, md: Markdown): string[] {
  if (decisions.length === 0) return [];
  const rows = decisions
    .slice(0, ROWS_SHOWN)
    .map((decision) => [
      md.code(decision.set.id),
      md.text(worthInWords(decision)),
      md.text(decision.reasons.join('; ')),
    ]);
  const more = decisions.length - rows.length;
  return [md.table([heading, 'worth', 'why'], rows), ...(more > 0 ? [`and ${more} more, in the log.`] : [])];
}

export function pruneLine({ dryRun, destinations }: PruneResult): string {
  const places = destinations.map(({ location, plan, removed }) => {
    const gone = dryRun ? (plan?.remove.length ?? 0) : removed.length;
    return `${location}: ${countOf(gone, 'backup')} ${dryRun ? 'would be removed' : 'removed'}, ${plan?.keep.length ?? 0} kept`;
  });
  return [...(dryRun ? ['Dry run: nothing was removed.'] : []), ...places].join('\n');
}

/** Ids that are gone at one destination at least; of a dry run those that would be. */
export function removedIds({ dryRun, destinations }: PruneResult): string[] {
  const ids = destinations.flatMap(({ plan, removed }) =>
    dryRun ? (plan?.remove.map(({ set }) => set.id) ?? []) : removed,
  );
  return [...new Set(ids)];
}

/** Ids that the policy keeps at one destination at least. */
export function keptIds({ destinations }: PruneResult): string[] {
  return [...new Set(destinations.flatMap(({ plan }) => plan?.keep.map(({ set }) => set.id) ?? []))];
}

/** Why a prune with a result fails all the same; `undefined` when it does not. */
export function describeUnpruned(result: PruneResult): FailureWords | undefined {
  const failed = result.destinations.filter(({ error }) => error !== undefined);
  const [first] = failed;
  if (first?.error === undefined) return describeLifecycle(result);
  const many = result.destinations.length > 1;
  const outcome = many ? `failed at ${failed.length} of ${result.destinations.length} destinations` : 'failed';
  const { code } = first.error;
  return {
    ...titled({ command: 'prune', code, outcome }, result.name),
    happened: failed.map(({ error }) => goingOn(error?.message ?? '')).join('. '),
    problems: failed.flatMap(({ left }) => left.map(({ id, why }) => `${id}: ${why}`)).slice(0, 20),
    causes: [],
    safety: safetyOf(result),
    action: [...new Set(failed.map(({ error }) => error?.hint ?? ''))].join(' '),
    toType: [],
  };
}

/** The prune itself went well. */
function describeLifecycle(result: PruneResult): FailureWords | undefined {
  const wrong = (result.lifecycle?.findings ?? []).filter(({ severity }) => severity === 'error');
  if (wrong.length === 0) return undefined;
  const seen = wrong.map((finding) => finding.seen);
  return {
    ...titled(
      { command: 'prune', code: 'ERR_LIFECYCLE', outcome: 'is done, but the bucket has rules of its own' },
      result.name,
    ),
    happened:
      wrong.length === 1 ? (seen[0] as string) : `${wrong.length} things are wrong with the rules of the buckets`,
    problems: wrong.length === 1 ? [] : seen,
    causes: [],
    safety: `${safetyOf(result)} What a rule of the bucket deletes, it deletes by age alone.`,
    action: [...new Set(wrong.map(({ action }) => action))].join(' '),
    toType: [],
  };
}

/** Every backup that the policy keeps is untouched, whatever went wrong. */
function safetyOf({ destinations, dryRun }: PruneResult): string {
  const words = destinations.map(({ location, removed, newestProven }) => {
    const gone =
      dryRun || removed.length === 0
        ? 'nothing was removed'
        : `${countOf(removed.length, 'backup')} that the policy lets go ${removed.length === 1 ? 'was' : 'were'} removed`;
    const newest = newestProven === undefined ? '' : `; the newest proven one, ${newestProven.id}, is kept`;
    return `In ${location} ${gone}${newest}.`;
  });
  return `Every backup that the policy keeps is untouched. ${words.join(' ')}`;
}

/** Of a run that ended before it had a result. */
export function pruneSafety({ stage, lastGood }: Partial<RunNews>): string {
  if (stage !== 'pruning') return 'Nothing was removed. All backups are untouched.';
  const newest = lastGood?.known === 'found' ? ` The newest proven one is ${lastGood.id}.` : '';
  return `Some backups that the policy lets go may be removed already: the log and the records in \`_audit/\` name them. Every backup that it keeps is untouched.${newest} One whose removal broke off has no metadata.json any more, so that it is no backup; a later prune removes the rest.`;
}
