/** One drill as JUnit XML, which every collector of test results reads: a check is a test case. */
import type { DrillResult } from '../command.ts';
import type { Check } from '../domain/checks.ts';
import { secondsToRecover } from '../domain/drill-checks.ts';

const CLASS = 'db-backup-action.drill';

/**
 * Pure; every word from outside is redacted and escaped. A check that is not passed is a failure or an error, never a
 * skipped case: readers of JUnit show those as green. No check at all is an error too.
 */
export function drillJUnit(result: DrillResult, redact: (text: string) => string): string {
  const xml = new Xml(redact);
  const { recovery, occasion } = result;
  const { checks, source, target, phases, totalSeconds } = recovery;
  const cases = checks.length === 0 ? [NOTHING] : checks;
  const failures = cases.filter(({ status }) => status === 'failed' || status === 'partial').length;
  const errors = cases.filter(({ status }) => status === 'not-run').length;
  const name = `drill of ${source.series ?? source.id}`;
  const counts = { tests: cases.length, failures, errors, skipped: 0, time: seconds(totalSeconds) };
  const properties = [
    ['backup', source.id],
    ['verdict', recovery.verdict],
    ['server', target.serverVersion],
    ['recovery-seconds', seconds(secondsToRecover(phases))],
    ...(result.rpoSeconds === undefined ? [] : [['data-age-seconds', seconds(result.rpoSeconds)]]),
    ...phases.map(({ phase, seconds: each }) => [`phase ${phase}`, seconds(each)]),
    ...(occasion.run === null ? [] : [['run', occasion.run.url]]),
  ] as [string, string][];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${xml.attributes({ name, ...counts })}>`,
    `  <testsuite${xml.attributes({ name, ...counts, timestamp: occasion.startedAt })}>`,
    '    <properties>',
    ...properties.map(([key, value]) => `      <property${xml.attributes({ name: key, value })}/>`),
    '    </properties>',
    ...cases.flatMap((check) => testCase(check, xml)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const NOTHING: Check = { id: 'archive', status: 'not-run', reason: 'Nothing at all was checked', details: [] };

function testCase({ id, status, reason, details }: Check, xml: Xml): string[] {
  const opening = `    <testcase${xml.attributes({ name: id, classname: CLASS })}`;
  if (status === 'passed') return [`${opening}/>`];
  const element = status === 'not-run' ? 'error' : 'failure';
  const words = [reason, ...details].map((line) => xml.text(line)).join('\n');
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
