/** The report of a check: job summary and `report-path` alike. It names tables, and never holds a row. */
import type { CheckResult } from '../command.ts';
import { worstFirst } from '../domain/check/judge.ts';
import { HEALTH_GROUPS, type HealthGroup, type HealthResult, type HealthStatus } from '../domain/check/model.ts';
import { minuteOf } from '../domain/time.ts';
import { checkLine, countWords, describeUnhealthy } from './check-words.ts';
import { Markdown } from './markdown.ts';
import { findingsSection, foldedDetails, troubleSection } from './sections.ts';

/** Of what became worse. */
const ROWS_SHOWN = 30;

const SIGNS: Readonly<Record<HealthStatus, string>> = {
  failed: '❌ failed',
  warning: '⚠️ warning',
  'not-run': '⚪ not run',
  passed: '✅ passed',
};
const VERDICT_SIGNS = { passed: '✅', warning: '⚠️', failed: '❌' } as const;
const GROUP_TITLES: Readonly<Record<HealthGroup, string>> = {
  reach: 'Reach',
  room: 'Room',
  load: 'Load',
  danger: 'Danger ahead',
  shape: 'Shape',
  assertions: 'Assertions',
  readiness: 'Backup readiness',
};

/** Pure; every word from outside is redacted and escaped. */
export function checkReport(result: CheckResult, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const { name, verdict, results, overview, findings } = result;
  return [
    `## ${VERDICT_SIGNS[verdict]} Check of ${md.code(name)}: ${verdict}`,
    md.text(verdict === 'failed' ? `${countWords(results)}.` : `${checkLine(result)}.`),
    ...troubleSection(describeUnhealthy(result), md),
    ...worseSection(result, md),
    ...groupsByWorst(result).flatMap(([group, members]) => groupSection(group, members, md)),
    ...(overview.length === 0
      ? []
      : [
          '### The database',
          md.table(
            ['', ''],
            overview.map(([what, words]) => [md.text(what), md.text(words)]),
          ),
        ]),
    ...keptSection(result, md),
    ...findingsSection(findings, md),
    '',
  ].join('\n\n');
}

/** The group with the worst check first, and in each its worst check first. */
function groupsByWorst({ results, strict }: CheckResult): [HealthGroup, HealthResult[]][] {
  const sorted = worstFirst(results, strict);
  const order = (group: HealthGroup): number =>
    sorted.findIndex((result) => result.group === group && result.status !== 'passed');
  const present = HEALTH_GROUPS.filter((group) => sorted.some((result) => result.group === group));
  const troubled = present.filter((group) => order(group) >= 0).toSorted((one, other) => order(one) - order(other));
  return [...troubled, ...present.filter((group) => order(group) < 0)].map((group) => [
    group,
    sorted.filter((result) => result.group === group),
  ]);
}

function groupSection(group: HealthGroup, results: readonly HealthResult[], md: Markdown): string[] {
  const rows = results.map(({ code, status, seen, action, limit }) => [
    SIGNS[status],
    md.code(code),
    md.text(seen),
    limit === undefined ? '' : md.text(String(limit)),
    md.text(action),
  ]);
  return [
    `### ${GROUP_TITLES[group]}`,
    md.table(['', 'check', 'what was seen', 'limit:', 'what to do'], rows),
    ...results
      .filter((result) => result.details.length > 0)
      .map((result) => foldedDetails(result.code, result.details, md)),
  ];
}

function worseSection({ comparison }: CheckResult, md: Markdown): string[] {
  if (comparison === undefined) return [];
  const title = `### What became worse since ${md.text(minuteOf(comparison.since))} UTC`;
  if (comparison.worse.length === 0) return [title, 'Nothing.'];
  const value = (number: number | undefined): string => (number === undefined ? '' : md.text(String(number)));
  const rows = comparison.worse
    .slice(0, ROWS_SHOWN)
    .map(({ code, before, now, values }) => [
      md.code(code),
      SIGNS[before],
      SIGNS[now],
      value(values?.before),
      value(values?.now),
    ]);
  return [title, md.table(['check', 'then', 'now', 'value then:', 'value now:'], rows)];
}

function keptSection({ recordUris }: CheckResult, md: Markdown): string[] {
  return recordUris.length === 0
    ? []
    : [`This verdict is kept in ${recordUris.map((uri) => md.code(uri)).join(', ')}.`];
}
