import { describe, expect, test } from 'vitest';
import { BROKEN_COPIES, judgeRehearsal, notRehearsed, type Rehearsed } from '../../src/domain/broken-copies.ts';
import { breakArchive } from '../../src/drill/alarm/sample.ts';

const whole: Rehearsed = { result: 'accepted' };
const caught = BROKEN_COPIES.map((copy) => {
  const [at = 'fetch'] = copy.caughtBy;
  return { copy, rehearsed: { result: 'caught', at, why: 'it differs' } as Rehearsed };
});

describe('the judgement of a rehearsal', () => {
  test('is passed only when every kind of broken copy was noticed', () => {
    expect(judgeRehearsal({ whole, broken: caught })).toMatchObject({ id: 'alarm', status: 'passed' });
    expect(judgeRehearsal({ whole, broken: caught.slice(1) })).toMatchObject({
      status: 'not-run',
      details: ['not tried: an archive cut short in storage'],
    });
    expect(judgeRehearsal({ whole, broken: [] }).status).toBe('not-run');
    expect(notRehearsed('no disk')).toMatchObject({ status: 'not-run', details: ['no disk'] });
  });

  test.each(BROKEN_COPIES.map(({ kind }) => kind))('is failed when %s was taken for whole', (kind) => {
    const broken = caught.map((each) => (each.copy.kind === kind ? { ...each, rehearsed: whole } : each));
    expect(judgeRehearsal({ whole, broken })).toMatchObject({
      status: 'failed',
      reason: '1 broken copy was NOT noticed: the checks of this drill cannot be relied on',
      details: [expect.stringContaining('was taken for whole')],
    });
  });

  test('is failed when one was noticed too late, and when the whole one was refused', () => {
    const late: Rehearsed = { result: 'caught', at: 'compare', why: 'it differs' };
    const broken = caught.map((each) => (each.copy.kind === 'flipped' ? { ...each, rehearsed: late } : each));
    expect(judgeRehearsal({ whole, broken }).details).toEqual([
      'an archive with one bit flipped in storage: was noticed only at the stage compare (it differs), not at fetch',
    ]);
    expect(judgeRehearsal({ whole: late, broken: caught })).toMatchObject({
      status: 'failed',
      details: ['refused (compare): it differs'],
    });
  });
});

describe('breaking an archive', () => {
  const end = '\\.\n\n\n';
  const rows = (between: Buffer) => Buffer.concat([Buffer.from('PGDMP 1\tanna\n2\tbob\n'), between, Buffer.from(end)]);
  const length = Buffer.from([0, end.length, 0, 0, 0]);

  test.each([
    ['rows and their end in one piece', rows(Buffer.alloc(0))],
    ['rows and their end in pieces of their own', rows(length)],
  ])('hits a row: %s', (_what, archive) => {
    const flipped = breakArchive(archive, 'flipped');
    expect(flipped?.toString('latin1')).toBe(archive.toString('latin1').replace('bob', 'boc'));
    expect(breakArchive(archive, 'truncated')?.toString('latin1').endsWith('\tbob')).toBe(true);
    expect(archive.includes('bob')).toBe(true);
  });

  test('says so when there are no rows', () => {
    expect(breakArchive(Buffer.from('PGDMP'), 'flipped')).toBeUndefined();
    expect(breakArchive(Buffer.from(`PGDMP nothing${end}`), 'flipped')).toBeUndefined();
  });
});
