/** One drill or check as JUnit XML, which every collector of test results reads: each check is a test case. */
import type { CheckResult, DrillResult, RunNews } from '../command.ts';
import type { Occasion } from '../domain/audit.ts';
import type { HealthResult } from '../domain/check/model.ts';
import type { Check } from '../domain/checks.ts';
import { secondsToRecover } from '../domain/drill-checks.ts';
import { secondsSince } from '../domain/time.ts';
import type { FailureWords } from './failure-words.ts';

/**
 * Pure; every word from outside is redacted and escaped. A check that is not passed is a failure or an error, never a
 * skipped case: readers of JUnit show those as green. No check at all is an error too.
 */
export function drillJUnit(result: DrillResult, redact: (text: string) => string): string {
  const { recovery, occasion } = result;
  const { checks, source, target, phases, totalSeconds } = recovery;
  return suite(
    {
      kind: 'drill',
      name: source.series ?? source.id,
      checks: checks.length === 0 ? [NOTHING] : checks,
      seconds: totalSeconds,
      startedAt: occasion.startedAt,
      properties: [
        ['backup', source.id],
        ['verdict', recovery.verdict],
        ['server', target.serverVersion],
        ['recovery-seconds', seconds(secondsToRecover(phases))],
        ...(result.rpoSeconds === undefined ? [] : [['data-age-seconds', seconds(result.rpoSeconds)] as const]),
        ...phases.map(({ phase, seconds: each }) => [`phase ${phase}`, seconds(each)] as const),
        ...runProperty(occasion),
      ],
    },
    redact,
  );
}

/** The same of a drill that did not come to its end: what was checked until then, and an error. */
export function failedDrillJUnit(
  words: FailureWords,
  { checks = [], phases = [], occasion, backupId, name }: Partial<RunNews>,
  now: Date,
  redact: (text: string) => string,
): string {
  const startedAt = occasion?.startedAt ?? now.toISOString();
  const problems = [words.happened, ...words.problems, ...words.causes, words.action];
  return suite(
    {
      kind: 'drill',
      name: name ?? backupId ?? 'a backup',
      checks: [...checks, { id: 'run', status: 'not-run', reason: words.title, details: problems }],
      seconds: secondsSince(startedAt, now),
      startedAt,
      properties: [
        ...(backupId === undefined ? [] : [['backup', backupId] as const]),
        ['verdict', 'failed'],
        ['code', words.code],
        ...phases.map(({ phase, seconds: each }) => [`phase ${phase}`, seconds(each)] as const),
        ...runProperty(occasion),
      ],
    },
    redact,
  );
}

/** Of a health check. A warning is a passed case that says so: it does not keep anybody from a release. */
export function checkJUnit(
  { name, where, results, verdict, record }: CheckResult,
  redact: (text: string) => string,
): string {
  return suite(
    {
      kind: 'check',
      name,
      checks: results.length === 0 ? [NOTHING] : results.map(caseOf),
      seconds: secondsSince(record.startedAt, new Date(record.finishedAt)),
      startedAt: record.startedAt,
      properties: [
        ['database', where],
        ['verdict', verdict],
        ...(record.server === null ? [] : [['server', record.server.version] as const]),
        ...(record.run === null ? [] : [['run', record.run.url] as const]),
      ],
    },
    redact,
  );
}

function caseOf({ code, group, status, seen, action, details }: HealthResult): Case {
  return { id: code, group, status, reason: seen, details: [...details, ...(action === '' ? [] : [action])] };
}

interface Case {
  id: string;
  status: Check['status'] | 'warning';
  reason: string;
  details: readonly string[];
  group?: string;
}

interface Suite {
  kind: 'drill' | 'check';
  /** What was drilled or checked. */
  name: string;
  checks: readonly Case[];
  seconds: number;
  /** ISO 8601 UTC. */
  startedAt: string;
  properties: readonly (readonly [name: string, value: string])[];
}

function runProperty(occasion: Occasion | undefined): [string, string][] {
  const run = occasion?.run ?? null;
  return run === null ? [] : [['run', run.url]];
}

function suite(
  { kind, name, checks, seconds: time, startedAt, properties }: Suite,
  redact: (text: string) => string,
): string {
  const xml = new Xml(redact);
  const failures = checks.filter(({ status }) => status === 'failed' || status === 'partial').length;
  const errors = checks.filter(({ status }) => status === 'not-run').length;
  const counts = { tests: checks.length, failures, errors, skipped: 0, time: seconds(time) };
  const title = `${kind} of ${name}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${xml.attributes({ name: title, ...counts })}>`,
    `  <testsuite${xml.attributes({ name: title, ...counts, timestamp: startedAt })}>`,
    '    <properties>',
    ...properties.map(([key, value]) => `      <property${xml.attributes({ name: key, value })}/>`),
    '    </properties>',
    ...checks.flatMap((check) => testCase(check, kind, xml)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const NOTHING: Check = { id: 'archive', status: 'not-run', reason: 'Nothing at all was checked', details: [] };

function testCase({ id, status, reason, details, group }: Case, kind: Suite['kind'], xml: Xml): string[] {
  const classname = ['db-backup-action', kind, ...(group === undefined ? [] : [group])].join('.');
  const opening = `    <testcase${xml.attributes({ name: id, classname })}`;
  if (status === 'passed') return [`${opening}/>`];
  const words = [reason, ...details].map((line) => xml.text(line)).join('\n');
  if (status === 'warning')
    return [`${opening}>`, `      <system-out>warning: ${words}</system-out>`, '    </testcase>'];
  const element = status === 'not-run' ? 'error' : 'failure';
  return [
    `${opening}>`,
    `      <${element}${xml.attributes({ type: status, message: reason })}>${words}</${element}>`,
    '    </testcase>',
  ];
}

/** Readers want a plain decimal number. */
function seconds(value: number): string {
  return value.toFixed(3);
}

class Xml {
  readonly #redact: (text: string) => string;

  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  text(value: string): string {
    return escaped(this.#redact(value));
  }

  attributes(values: Readonly<Record<string, string | number>>): string {
    return Object.entries(values)
      .map(([name, value]) => ` ${name}="${this.text(String(value)).replaceAll(/[\t\r\n]/g, ' ')}"`)
      .join('');
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Characters that XML 1.0 cannot hold in any form are shown as `\u{7}`. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(
      /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu,
      (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
    )
    .replaceAll(/[&<>"']/g, (char) => ENTITIES[char] as string);
}
