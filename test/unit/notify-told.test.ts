/** What an issue remembers of who was told. */
import { describe, expect, test } from 'vitest';
import { readTold, type Told, toldLine, withTold, withToldLine } from '../../src/domain/notify/told.ts';
import { AUTH, heard, open, toldOf } from '../support/hearing.ts';

describe('What an issue remembers', () => {
  const told: Told[] = [toldOf(2), toldOf(1, { code: 'backup-too-old+drill-overdue', level: 'critical', to: 'email' })];

  test('is read as it was written, to the minute', () => {
    const line = toldLine(told);
    expect(line).toBe(
      '<!-- db-backup-action told: ERR_AUTH/warning/slack/2026-11-22T00:30Z backup-too-old+drill-overdue/critical/email/2026-11-22T01:30Z -->',
    );
    expect(readTold(`We look into it.\n${line}\nmore`)).toEqual(told);
  });

  test('is nothing where it is missing, and what is broken in it is left out', () => {
    expect(readTold('An issue of an earlier version')).toEqual([]);
    expect(readTold(toldLine([]))).toEqual([]);
    const good = 'ERR_AUTH/warning/slack/2026-11-22T00:30Z';
    for (const bad of [
      'x',
      'ERR_AUTH/grave/slack/2026-11-22T00:30Z',
      'E/warning/pager/2026-11-22T00:30Z',
      'E/warning/slack/2026-99-22T00:30Z',
    ]) {
      expect(readTold(`<!-- db-backup-action told: ${bad} ${good} -->`), bad).toEqual([toldOf(2)]);
    }
  });

  test('takes the place of what it remembered before, and stands first where it did not', () => {
    const body = `<!-- marker -->\n${toldLine([toldOf(9)])}\nwords $& words`;
    expect(withToldLine(body, told)).toBe(`<!-- marker -->\n${toldLine(told)}\nwords $& words`);
    expect(withToldLine('words', told)).toBe(`${toldLine(told)}\nwords`);
  });

  test('is the latest of each, and never grows without end', () => {
    expect(withTold([toldOf(9), toldOf(8, { to: 'email' })], [toldOf(1)])).toEqual([
      toldOf(8, { to: 'email' }),
      toldOf(1),
    ]);
    const many = Array.from({ length: 100 }, (_, at) => toldOf(200 - at, { code: `ERR_${at}` }));
    const kept = withTold(many, []);
    expect(kept).toHaveLength(24);
    expect(kept.at(-1)?.code).toBe('ERR_99');
  });

  test('cannot be broken out of', () => {
    const line = toldLine([toldOf(1, { code: 'x --> <!-- y /a b' })]);
    expect(line.match(/-->/g)).toHaveLength(1);
    expect(readTold(line)).toHaveLength(1);
    expect(
      heard(
        { kind: 'failed', condition: { ...AUTH, code: 'x --> y' } },
        open(...readTold(toldLine([toldOf(1, { code: 'x --> y' })]))),
      )?.kind,
    ).toBeUndefined();
  });
});
