/** Parsers of the values that say which backups are kept. */
import { isTimeZone } from '../domain/retention/calendar.ts';
import { type KeepRules, type LabelRules, SLOT_KINDS } from '../domain/retention/policy.ts';
import { lines, type Parse, quoted, rejected } from './values.ts';

const FORM =
  'Write lines such as `label=pre-migration: keep-within-days=30, keep-last=3` or `label=audit-*: keep-forever`.';
const MOST = 36_500;
const RULES: ReadonlyMap<string, keyof KeepRules> = new Map([
  ['keep-last', 'last'],
  ...SLOT_KINDS.map((kind) => [`keep-${kind}`, kind] as const),
  ['keep-within-days', 'withinDays'],
]);

export const timeZone: Parse<string> = (text) => {
  if (isTimeZone(text)) return text;
  throw rejected(`${quoted(text)} is not a time zone. Write a name of the IANA, such as UTC or Europe/Berlin.`);
};

/** One a line; a label that two lines name alike is an error, because the second would never count. */
export const labelRules: Parse<readonly LabelRules[]> = (text, env) => {
  const rules = lines(labelLine)(text, env);
  const patterns = rules.map(({ pattern }) => pattern);
  const twice = patterns.find((pattern, index) => patterns.indexOf(pattern) !== index);
  if (twice !== undefined) throw rejected(`label=${twice} stands there twice. Write all its rules in one line.`);
  return rules;
};

function labelLine(line: string): LabelRules {
  const [, pattern = '', words = ''] = /^label=([^:]*):(.*)$/.exec(line) ?? [];
  if (!/^[a-z0-9*][a-z0-9._*-]{0,60}$/.test(pattern)) {
    throw rejected(`${quoted(line)} names no label: small letters, digits, ".", "_", "-" and "*". ${FORM}`);
  }
  const parts = words.split(',').map((part) => part.trim());
  if (parts.length === 1 && parts[0] === 'keep-forever') return { pattern, keep: 'forever' };
  const keep: KeepRules = {};
  for (const part of parts) {
    const [name = '', number = ''] = part.split('=').map((each) => each.trim());
    const rule = RULES.get(name);
    if (rule === undefined) throw rejected(`${quoted(part)} in ${quoted(line)} is not a rule. ${FORM}`);
    const value = Number(number);
    if (!/^\d{1,6}$/.test(number) || value < 1 || value > MOST) {
      throw rejected(`${quoted(part)} in ${quoted(line)} has no whole number from 1 to ${MOST}.`);
    }
    if (keep[rule] !== undefined) throw rejected(`${quoted(line)} says ${name} twice.`);
    keep[rule] = value;
  }
  return { pattern, keep };
}
