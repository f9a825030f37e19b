/** One line of `critical-tables`: a pattern, and for a check what must hold of the tables behind it. */
import { BackupError } from '../errors.ts';
import { parseTablePattern } from '../name-pattern.ts';

export interface CriticalRule {
  /** As `parseTablePattern` reads it. */
  pattern: string;
  /** `rows>=100` */
  least?: number;
  /** `newest(created_at)<2h` */
  newest?: { column: string; seconds: number };
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { min: 60, h: 3600, d: 86_400 };
const CONDITION = /\s+(?:rows>=(\d{1,15})|newest\(([^()]+)\)<(\d{1,6})(min|h|d))$/i;

/**
 * `public.orders`, `public.orders rows>=100`, `public.orders rows>=100 newest(created_at)<2h`.
 * @throws BackupError `ERR_PATTERN` for what is no pattern
 */
export function parseCriticalRule(line: string): CriticalRule {
  let rest = line.trim();
  const rule: Omit<CriticalRule, 'pattern'> = {};
  for (let match = CONDITION.exec(rest); match !== null; match = CONDITION.exec(rest)) {
    const [whole, least, column, number, unit = ''] = match;
    if (least !== undefined) rule.least = Number(least);
    else
      rule.newest = {
        column: plainColumn(column ?? ''),
        seconds: Number(number) * (UNIT_SECONDS[unit.toLowerCase()] ?? 0),
      };
    rest = rest.slice(0, -whole.length);
  }
  if (/(?:[<>]=?|\()/.test(rest.replaceAll(/"[^"]*"/g, ''))) {
    const right = '`public.orders rows>=100 newest(created_at)<2h`, or one of both, with `min`, `h` or `d`';
    throw new BackupError('ERR_PATTERN', `\`${line}\` has a condition that is none. A right line is ${right}.`, {
      op: 'read critical-tables',
      hint: 'Correct `critical-tables`.',
    });
  }
  parseTablePattern(rest);
  return { pattern: rest, ...rule };
}

export function hasConditions({ least, newest }: CriticalRule): boolean {
  return least !== undefined || newest !== undefined;
}

/** As SQL reads a name: lower case unless quoted. */
function plainColumn(text: string): string {
  const name = text.trim();
  const quoted = /^"(.*)"$/.exec(name)?.[1];
  return quoted === undefined ? name.toLowerCase() : quoted.replaceAll('""', '"');
}
