/** What a check says of itself when it is red. */
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/command.ts';
import { type HealthResult, type HealthStatus, healthVerdict } from '../../src/domain/check/model.ts';
import { checkRecord } from '../../src/domain/check/record.ts';
import { checkReport } from '../../src/report/check-report.ts';
import { describeUnhealthy } from '../../src/report/check-words.ts';
import { failureMessage } from '../../src/report/failure-words.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');

function seen(code: string, status: HealthStatus, over: Partial<HealthResult> = {}): HealthResult {
  return { code, group: 'load', status, seen: `${code} was seen`, action: `Do it for ${code}.`, details: [], ...over };
}

function checked(results: HealthResult[], strict: boolean): CheckResult {
  const verdict = healthVerdict(results, strict);
  const occasion = { startedAt: NOW.toISOString(), actor: 'octocat', run: null, action: { version: '1.0.0' } };
  return {
    ...{ command: 'check', outcome: 'checked', name: 'shop', where: 'db:5432/shop', verdict, strict, results },
    record: checkRecord({ name: 'shop', verdict, strict, results, occasion, finishedAt: NOW, server: null }),
    ...{ overview: [], recordUris: [], findings: [] },
  };
}

describe('A check that is red by `strict` says so', () => {
  const hidden = [seen('slow-statements', 'not-run'), seen('connections', 'not-run'), seen('tls', 'passed')];

  test('when nothing else made it red: how many, and what can be typed', () => {
    const words = describeUnhealthy(checked(hidden, true));
    expect(words).toMatchObject({
      happened:
        'No check failed, but 2 of 3 could not run, which `strict` counts as failed; the first: slow-statements: slow-statements was seen',
      problems: ['slow-statements (not run): slow-statements was seen', 'connections (not run): connections was seen'],
      toType: [{ commands: ['checks: |', '  slow-statements=off', '  connections=off'] }],
    });
    expect(words?.toType[0]?.words).toMatch(/Do what each of them asks for, .* or remove `strict`/);
  });

  test('beside what failed, which comes first and is not to be switched off', () => {
    const result = checked([...hidden, seen('lock-waits', 'failed')], true);
    const words = describeUnhealthy(result);
    expect(words?.happened).toMatch(/^1 of 4 checks failed, and 2 could not run, .*the first: lock-waits: /);
    expect(words?.action).toBe('Do it for lock-waits.');
    expect(words?.toType[0]?.commands).not.toContain('  lock-waits=off');
    for (const text of [failureMessage(words as NonNullable<typeof words>), checkReport(result, (all) => all)])
      expect(text).toContain('slow-statements=off');
  });

  test('and one that is red without it does not', () => {
    const lenient = describeUnhealthy(checked([...hidden, seen('lock-waits', 'failed')], false));
    expect(lenient).toMatchObject({ happened: 'lock-waits: lock-waits was seen', toType: [] });
    const strict = describeUnhealthy(checked([seen('a', 'failed'), seen('b', 'failed')], true));
    expect(strict).toMatchObject({ happened: '2 of 2 checks failed, the first: a: a was seen', toType: [] });
  });

  test('while a run without `strict` stays green', () => {
    expect(describeUnhealthy(checked(hidden, false))).toBeUndefined();
  });
});
