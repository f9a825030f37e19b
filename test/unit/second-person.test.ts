/** Whether somebody else has looked at a plan: who is a person, and each reason for a no. */
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { type Confirmation, confirmedPlan, type KeptPlan, namesOf } from '../../src/domain/second-person.ts';
import { auditPlanned, PLAN_MARK } from '../support/audit-records.ts';
import { problems, URL } from '../support/inputs.ts';
import { SET_ID } from '../support/recovery-result.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const hoursAgo = (hours: number): string => new Date(NOW.getTime() - hours * 3_600_000).toISOString();
const plan = (over: Partial<KeptPlan['record']> = {}): KeptPlan => ({
  uri: 's3://acme-backups/postgres/shop/_audit/x.planned.json',
  record: auditPlanned({ startedAt: hoursAgo(1), ...over }),
});
const other = { ...PLAN_MARK, fingerprint: '0'.repeat(12) };

function confirmation(over: Partial<Confirmation> = {}): Confirmation {
  const { fingerprint: confirm } = PLAN_MARK;
  return { confirm, mark: PLAN_MARK, backupId: SET_ID, names: ['hubot'], plans: [plan()], now: NOW, ...over };
}

function refusal(over: Partial<Confirmation>): { code: ErrorCode; message: string; hint: string } {
  try {
    confirmedPlan(confirmation(over));
  } catch (error) {
    return error as { code: ErrorCode; message: string; hint: string };
  }
  throw new Error('it was confirmed');
}

describe('A person', () => {
  test('has the names of who started the run and of who started it again, in small letters', () => {
    expect(namesOf({ actor: 'Octocat', triggeringActor: 'octocat' })).toEqual(['octocat']);
    expect(namesOf({ actor: 'octocat', triggeringActor: 'Hubot' })).toEqual(['octocat', 'hubot']);
    expect(namesOf({ actor: 'octocat' })).toEqual(['octocat']);
  });

  test('is nobody without a name, and no app is one', () => {
    expect(namesOf({ actor: 'github-actions[bot]', triggeringActor: 'octocat' })).toEqual(['octocat']);
    for (const [actor, triggeringActor, words] of [
      ['', '', 'GitHub names nobody as the one'],
      ['github-actions[bot]', '', 'which is no person'],
      ['github-actions[bot]', 'dependabot[bot]', 'github-actions[bot] and dependabot[bot]'],
    ] as const) {
      expect(() => namesOf({ actor, triggeringActor })).toThrow(
        expect.objectContaining({ code: 'ERR_PERSON_UNKNOWN', message: expect.stringContaining(words) }),
      );
    }
  });
});

describe('A plan', () => {
  test('of another person, of today, that is the one of this run is confirmed', () => {
    expect(confirmedPlan(confirmation())).toEqual(plan());
    expect(confirmedPlan(confirmation({ confirm: ` '${PLAN_MARK.fingerprint.toUpperCase()}' ` }))).toEqual(plan());
    // Somebody has planned the same before, and it was oneself.
    const own = plan({ actor: 'Hubot', triggeringActor: 'Hubot' });
    expect(confirmedPlan(confirmation({ plans: [own, plan({ startedAt: hoursAgo(25) }), plan()] }))).toEqual(plan());
    expect(confirmedPlan(confirmation({ plans: [plan({ startedAt: hoursAgo(24) })] }))).toBeDefined();
  });

  test.each<[string, Partial<Confirmation>, ErrorCode, string]>([
    ['nothing is confirmed', { confirm: '' }, 'ERR_CONFIRM', '`confirm` is empty'],
    ['the host is confirmed', { confirm: 'db/shop' }, 'ERR_PLAN_UNKNOWN', '"db/shop", which is no fingerprint'],
    ['no dry run was made', { plans: [] }, 'ERR_PLAN_UNKNOWN', `No dry run has left a plan`],
    ['another one was made', { confirm: '0'.repeat(12) }, 'ERR_PLAN_UNKNOWN', '000000000000'],
    ['it is too old', { plans: [plan({ startedAt: hoursAgo(24.1) })] }, 'ERR_PLAN_OLD', 'is 1 day old; a plan holds'],
    ['it is of tomorrow', { plans: [plan({ startedAt: hoursAgo(-1) })] }, 'ERR_PLAN_OLD', 'which is still to come'],
    ['it is one’s own', { names: ['octocat'] }, 'ERR_PLAN_OWN', 'octocat had a hand in the plan'],
    [
      'it was run again by oneself',
      { plans: [plan({ triggeringActor: 'Hubot' })] },
      'ERR_PLAN_OWN',
      'hubot had a hand',
    ],
    ['its maker ran it again', { names: ['hubot', 'octocat'] }, 'ERR_PLAN_OWN', 'octocat had a hand'],
  ])('is refused when %s', (_what, over, code, words) => {
    const error = refusal(over);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.hint).toMatch(/Nothing was touched\.$/);
    expect(error.hint).toMatch(code === 'ERR_PLAN_OWN' ? /somebody else start/ : /dry-run: true/);
  });

  test('is refused when this run would do something else, and every part that differs is told', () => {
    const { parts } = PLAN_MARK;
    const changed = '1'.repeat(12);
    const each = refusal({ mark: { ...other, parts: { ...parts, drops: changed, inputs: changed } } });
    expect(each.code).toBe('ERR_PLAN_DIFFERS');
    expect(each.message.split('\n- ').slice(1)).toEqual([
      expect.stringMatching(/^inputs are others: `strategy`/),
      'something else would be dropped or emptied first',
    ]);
    const newer = refusal({
      backupId: 'newer',
      mark: { ...other, parts: { ...parts, backup: changed, entries: changed } },
    });
    expect(newer.message.split('\n- ')).toHaveLength(2);
    expect(newer.message).toContain(`the backup is newer now, and was ${SET_ID}`);
    expect(newer.hint).toContain(`\`backup: ${SET_ID}\``);
    expect(refusal({ mark: { ...other, parts: { ...parts, backup: changed } } }).message).toContain(
      `the archive of ${SET_ID} is not the one that it was`,
    );
  });
});

describe('The input for it', () => {
  const restore = { command: 'restore', 'target-database-url': URL, storage: 's3://acme-backups' };
  const second = { ...restore, 'require-second-person': 'true' };

  test('is an error outside of a workflow, by its name', () => {
    expect(problems(second)).toEqual([]);
    expect(problems(second, { GITHUB_ACTIONS: '' })).toEqual([
      expect.stringMatching(/^require-second-person: outside of/),
    ]);
    expect(problems({ ...second, 'require-second-person': 'yes' })).toEqual([
      expect.stringMatching(/^require-second-person: "yes" is neither/),
    ]);
  });

  test('gives confirm a meaning for every strategy', () => {
    const confirm = { confirm: '0123456789ab' };
    for (const strategy of ['new-database', 'swap', 'in-place']) {
      expect(problems({ ...second, ...confirm, strategy })).toEqual([]);
    }
    expect(problems({ ...restore, ...confirm })).toEqual([expect.stringMatching(/^confirm: /)]);
  });
});
