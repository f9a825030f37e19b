import { describe, expect, test } from 'vitest';
import { githubError } from '../../src/github/errors.ts';
import { probeIssueRights } from '../../src/github/probe.ts';

const NOW = new Date('2026-11-22T05:00:00Z');

describe('an answer of GitHub', () => {
  const answered = (status: number, message: string, headers = {}) =>
    githubError({ status, response: { headers, data: { message } } }, 'open an issue', NOW);

  test.each([
    [401, 'Bad credentials', {}, 'unauthorized'],
    [403, 'Resource not accessible by integration', {}, 'denied'],
    [403, 'Unable to create comment because issue is locked.', {}, 'locked'],
    [403, 'You have exceeded a secondary rate limit', {}, 'rate-limited'],
    [403, 'API rate limit exceeded', { 'x-ratelimit-remaining': '0' }, 'rate-limited'],
    [429, 'Too many requests', { 'retry-after': '5' }, 'rate-limited'],
    [404, 'Not Found', {}, 'missing'],
    [301, 'Moved Permanently', {}, 'missing'],
    [410, 'This issue was deleted', {}, 'missing'],
    [410, 'Issues are disabled for this repo', {}, 'disabled'],
    [422, 'Validation Failed', {}, 'invalid'],
    [503, 'Service Unavailable', {}, 'unavailable'],
    [418, 'Teapot', {}, 'unexpected'],
  ] as const)('%d %s %o is %s', (status, message, headers, fault) => {
    const error = answered(status, message, headers);
    expect(error).toMatchObject({ fault, code: 'ERR_GITHUB' });
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe('');
  });

  test('that limits says until when', () => {
    const reset = String(NOW.getTime() / 1000 + 60);
    expect(answered(429, '', { 'retry-after': '5' }).retryAfterMs).toBe(5_000);
    expect(answered(403, '', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }).retryAfterMs).toBe(60_000);
    expect(answered(403, 'secondary rate limit').retryAfterMs).toBeUndefined();
  });

  test('that never came is a fault of the way there', () => {
    expect(githubError(new Error('ECONNREFUSED'), 'open an issue', NOW)).toMatchObject({
      fault: 'unavailable',
      retryable: true,
    });
  });

  test('to the question for rights is a notice at most', async () => {
    const found = (error: unknown) => probeIssueRights({ refusesUntitled: () => Promise.reject(error) });
    expect(await probeIssueRights({ refusesUntitled: async () => true })).toEqual([]);
    expect(await found(answered(403, 'Resource not accessible by integration'))).toMatchObject([
      { code: 'alarm-impossible', severity: 'notice', action: expect.stringContaining('permissions: issues: write') },
    ]);
    expect(await found(answered(410, 'Issues are disabled'))).toMatchObject([{ code: 'alarm-impossible' }]);
    expect(await found(answered(503, 'down'))).toMatchObject([{ code: 'alarm-unknown', severity: 'notice' }]);
    expect(await probeIssueRights({ refusesUntitled: async () => false })).toMatchObject([{ code: 'alarm-unknown' }]);
    await expect(found(new TypeError('defect'))).rejects.toThrow('defect');
  });
});
