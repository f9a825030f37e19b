import { expect, test } from 'vitest';
import type { Check, CheckStatus } from '../../src/domain/checks.ts';
import { checkRestore } from '../../src/domain/proof/restore.ts';
import type { ClassifiedMessage } from '../../src/domain/recovery.ts';

const check = (status: CheckStatus): Check => ({
  id: 'tables',
  status,
  reason: 'As it is',
  details: ['public.orders'],
});
const said = (kind: ClassifiedMessage['kind']): ClassifiedMessage => ({
  kind,
  text: 'no such row',
  reason: 'it says so',
});
const GOOD = {
  serverVersion: '17.11',
  checks: [check('passed')],
  messages: [said('harmless')],
  leftOut: [],
  seconds: 3,
};

test('a restore of which every check passed is passed', () => {
  expect(checkRestore(GOOD)).toMatchObject({ id: 'restore', status: 'passed', details: [] });
});

test.each<[string, Parameters<typeof checkRestore>[0], CheckStatus, RegExp]>([
  ['that did not take place', { why: 'no server' }, 'not-run', /no server/],
  ['of which nothing was compared', { ...GOOD, checks: [] }, 'partial', /^$/],
  ['with one check that failed', { ...GOOD, checks: [check('passed'), check('failed')] }, 'failed', /tables: failed/],
  ['with one check that is undecided', { ...GOOD, checks: [check('partial')] }, 'partial', /tables: public.orders/],
  ['with one check that did not run', { ...GOOD, checks: [check('passed'), check('not-run')] }, 'partial', /not-run/],
  ['with a fatal message', { ...GOOD, messages: [said('fatal')] }, 'failed', /pg_restore: no such row \(it says so\)/],
  ['with a message that nobody knows', { ...GOOD, messages: [said('unknown')] }, 'partial', /pg_restore: no such row/],
  [
    'that left something out',
    { ...GOOD, leftOut: [{ what: 'extension x', why: 'not here' }] },
    'partial',
    /extension x/,
  ],
])('a restore %s is not passed', (_, outcome, status, details) => {
  const judged = checkRestore(outcome);
  expect(judged.status).toBe(status);
  expect(judged.details.join('\n')).toMatch(details);
  expect(judged.reason).not.toMatch(/orders|extension x|no such row/);
});

test('ten thousand messages do not make a manifest of their own', () => {
  const messages = Array.from({ length: 10_000 }, () => said('fatal'));
  expect(checkRestore({ ...GOOD, messages }).details).toHaveLength(200);
});
