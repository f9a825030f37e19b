import { describe, expect, test } from 'vitest';
import { assessOlderTarget, restoreClientMajor } from '../../src/domain/restore-client.ts';

describe('the client', () => {
  test('is of the larger major', () => {
    expect([restoreClientMajor(15, 17), restoreClientMajor(17, 15), restoreClientMajor(18, 18)]).toEqual([17, 17, 18]);
  });

  test('restores into an older server only with a word', () => {
    expect(assessOlderTarget(15, 17, false)).toBeUndefined();
    expect(assessOlderTarget(17, 15, false)).toMatchObject({
      severity: 'error',
      action: expect.stringContaining('allow-older-major'),
    });
    expect(assessOlderTarget(17, 15, true)).toMatchObject({ severity: 'warning' });
  });
});
