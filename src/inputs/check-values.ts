/** Parsers of the values that only a check knows. */
import { hasConditions, parseCriticalRule } from '../domain/check/critical-rule.ts';
import { parseExpectedExtension, type WantedExtension } from '../domain/check/expected-extension.ts';
import { type CheckSettings, HEALTH_CHECKS, isCheckName } from '../domain/check/judge.ts';
import { HEALTH_GROUPS, type Limit } from '../domain/check/model.ts';
import { type OrphanChoice, parseOrphanChoice } from '../domain/check/orphan-pair.ts';
import { closeNames } from '../domain/close-names.ts';
import type { InputProblem } from '../domain/errors.ts';
import { lines, type Parse, quoted, rejected, words } from './values.ts';

const LEVELS = ['off', 'warning', 'failed'] as const;

/** One line of `checks`. */
export type CheckChoice = { name: string; level: CheckSettings['levels'][string] } | { name: string; limit: number };

/** `code=off`, `group=warning`, `code=failed`, `code=12.5`: one a line, or with commas between them. */
export const checkChoices: Parse<readonly CheckChoice[]> = words((text) => {
  const [, name = '', value = ''] = /^([a-z-]+)\s*=\s*(.*)$/.exec(text) ?? [];
  if (!isCheckName(name)) throw rejected(`${quoted(text)} ${strangerWords(name === '' ? text : name)}`);
  const level = LEVELS.find((each) => each === value);
  if (level !== undefined) return { name, level };
  if (/^\d{1,12}(?:\.\d{1,12})?$/.test(value)) return limitOf(name, Number(value));
  throw rejected(`${quoted(text)} says neither off, warning, failed nor a limit. ${rightLines(name)}`);
});

/** What to write instead of a line that names no check: what is right for the one that was meant, or for any. */
function strangerWords(name: string): string {
  if (isCheckName(name)) return `has no value. ${rightLines(name)}`;
  const known = [...HEALTH_CHECKS.map(({ code }) => code), ...HEALTH_GROUPS];
  const [nearest, ...others] = closeNames(name, known);
  if (nearest !== undefined) {
    const names = [nearest, ...others].map((each) => `\`${each}\``).join(' or ');
    return `names no check. Did you mean ${names}? ${rightLines(nearest)}`;
  }
  const tables = /[<>]/.test(name)
    ? ' What must hold of single tables stands in `critical-tables` and `orphan-checks`.'
    : '';
  return `names no check. docs/check.md lists all of them; a right line is \`long-query=5\` or \`primary-keys=off\`.${tables}`;
}

/** `A right line is …`, for this check or group. */
function rightLines(name: string): string {
  const limit = limitIn(name);
  const level = `\`${name}=off\`, \`${name}=warning\` or \`${name}=failed\``;
  return limit === undefined || limit.input !== undefined
    ? `A right line is ${level}.`
    : `A right line is \`${name}=${limit.value ?? 1}\` (${limit.unit}, without a unit behind it), ${level}.`;
}

function limitIn(name: string): Limit | undefined {
  return HEALTH_CHECKS.find(({ code }) => code === name)?.limit;
}

function limitOf(name: string, limit: number): CheckChoice {
  const own = limitIn(name);
  if (own === undefined) throw rejected(`${quoted(name)} has no limit. ${rightLines(name)}`);
  if (own.input !== undefined)
    throw rejected(
      `the limit of ${quoted(name)} has an input of its own: \`${own.input}\`. Write \`${own.input}: ${limit}\` beside \`checks\`.`,
    );
  return { name, limit };
}

/** Lines of `critical-tables` as they are: a pattern, and for a check conditions behind it. */
export const criticalTables: Parse<readonly string[]> = lines((line) => {
  parseCriticalRule(line);
  return line;
});

/** A problem for each line with conditions: elsewhere the patterns alone count. */
export function conditionProblems(given: readonly string[] = []): InputProblem[] {
  return given
    .filter((line) => hasConditions(parseCriticalRule(line)))
    .map((line) => ({
      input: 'critical-tables',
      message: `${quoted(line)} has a condition, which only the command \`check\` looks at. Write the pattern alone.`,
    }));
}

export const orphanChoices: Parse<readonly OrphanChoice[]> = lines(parseOrphanChoice);

export const expectedExtensions: Parse<readonly WantedExtension[]> = words((text) => {
  const wanted = parseExpectedExtension(text);
  if (wanted !== undefined) return wanted;
  throw rejected(`${quoted(text)} is not the name of an extension, nor one with a version, as in postgis>=3.4.`);
});

/** A number that may have a fraction. */
export const decimal: Parse<number> = (text) => {
  if (/^\d{1,9}(?:\.\d{1,6})?$/.test(text) && Number(text) > 0) return Number(text);
  throw rejected(`${quoted(text)} is not a number above 0, such as 10 or 0.5.`);
};

/** `storage`, or the path of a record that an earlier run wrote beside its report. */
export const baseline: Parse<'storage' | { file: string }> = (text) => {
  if (text === 'storage') return text;
  if (/^[^\r\n]+\.json$/i.test(text)) return { file: text };
  throw rejected(
    `${quoted(text)} is neither storage nor the path of a .json file that a check wrote beside its report.`,
  );
};
