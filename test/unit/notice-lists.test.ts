/** What a message lists of several things that are wrong, and what it keeps to the issue. */
import { describe, expect, test } from 'vitest';
import type { FailureWords } from '../../src/report/failure-words.ts';
import { failureNotice } from '../../src/report/notice.ts';
import { slackPayload } from '../../src/report/notices/slack.ts';
import { ABOUT, GOOD, plain, someNotice, WORDS } from '../support/notices.ts';

describe('A message about several things', () => {
  const several = (count: number) => Array.from({ length: count }, (_, index) => `critical: series ${index + 1}`);
  const happenedIn = (more: Partial<FailureWords>): string | undefined => {
    const facts = { words: { ...WORDS, ...more }, gravity: { level: 'warning', why: 'usual' }, good: GOOD } as const;
    return failureNotice('failure', 'it is the first', facts, ABOUT, plain).sections.happened;
  };

  test('lists what a status found, a line each', () => {
    const found = { command: 'status', code: 'ERR_STATUS', happened: '2 things are wrong' } as const;
    expect(happenedIn({ ...found, problems: several(2) })).toBe(
      '2 things are wrong.\n- critical: series 1\n- critical: series 2',
    );
  });

  test('lists the first eight, and counts the others', () => {
    const lines = happenedIn({ command: 'status', happened: '11 things are wrong', problems: several(11) })?.split(
      '\n',
    );
    expect(lines).toHaveLength(10);
    expect(lines?.slice(-2)).toEqual(['- critical: series 8', 'and 3 more in the log']);
    expect(happenedIn({ command: 'status', problems: several(8) })).not.toContain('more in the log');
  });

  test('lists inputs that are wrong, of whatever command', () => {
    const problems = ['storage: it is empty.', 'critical-tables: The pattern `a.b.c.d` has too many dotted names'];
    const text = happenedIn({ code: 'ERR_INPUT', happened: '2 inputs are wrong', problems });
    expect(text).toBe(`2 inputs are wrong.\n- ${problems.join('\n- ')}`);
  });

  test.each(['backup', 'restore', 'drill', 'check', 'prune'] as const)(
    'lists nothing of a %s, whose items may name tables',
    (command) => {
      expect(happenedIn({ command, problems: ['public.customers: 3 rows'] })).toBe('The password was refused.');
    },
  );

  test('is one sentence when there is nothing to list', () => {
    expect(happenedIn({ command: 'status', happened: 'The newest proven backup is too old', problems: [] })).toBe(
      'The newest proven backup is too old.',
    );
  });
});

test('a message to Slack says at its end why it is sent', () => {
  expect(JSON.stringify(slackPayload(someNotice()))).toContain('Told because: it is the first.');
});
