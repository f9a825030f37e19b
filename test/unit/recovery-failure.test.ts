import { describe, expect, test } from 'vitest';
import type { RunNews } from '../../src/command.ts';
import type { Check } from '../../src/domain/checks.ts';
import { BackupError, type ErrorCode, InputError } from '../../src/domain/errors.ts';
import type { RecoveryStage, Strategy } from '../../src/domain/recovery.ts';
import { describeFailure, describeTrouble } from '../../src/report/failure.ts';
import { failureSummary } from '../../src/report/failure-summary.ts';
import { type FailureWords, failureMessage } from '../../src/report/failure-words.ts';
import {
  drillResult,
  recoveryOf,
  restoreNews,
  restoreResult,
  SAFETY_BACKUP,
  SET_ID,
  SET_URI,
} from '../support/recovery-result.ts';

const plain = (text: string): string => text;
const UNTOUCHED = `All backups are untouched, also \`${SET_ID}\` in \`${SET_URI}\`, which was to be restored.`;
const ACCESS = ['ALTER DATABASE "shop" ALLOW_CONNECTIONS true;', 'GRANT CONNECT ON DATABASE "shop" TO PUBLIC;'];

function failed(code: ErrorCode, news: Partial<RunNews>): FailureWords {
  return describeFailure(new BackupError(code, 'It went wrong', { op: 'restore', hint: 'Mend it.' }), news);
}

function lines(code: ErrorCode, news: Partial<RunNews>): string[] {
  return failureMessage(failed(code, news)).split('\n');
}

describe('the words of a failed restore', () => {
  test('before anything was touched', () => {
    const news = restoreNews('swap', { stage: 'looking' });
    expect(failed('ERR_CONFIRM', news).title).toBe('The restore of "shop" failed (ERR_CONFIRM)');
    expect(lines('ERR_CONFIRM', news)).toEqual([
      'It went wrong.',
      `Nothing was touched: \`db.acme.com/shop\` holds what it held. ${UNTOUCHED}`,
      'What to do: Mend it.',
    ]);
  });

  test('before anything was known', () => {
    const words = failed('ERR_BACKUP_NOT_FOUND', { command: 'restore' });
    expect(words.title).toBe('The restore failed (ERR_BACKUP_NOT_FOUND)');
    expect(words.safety).toBe('Nothing was touched: the target holds what it held. All backups are untouched.');
  });

  test('calls no backup untouched that is damaged', () => {
    const { safety } = failed('ERR_BACKUP_DAMAGED', restoreNews('swap', { stage: 'looking' }));
    expect(safety).toBe(
      'Nothing was touched: `db.acme.com/shop` holds what it held. This run changed no backup: what is damaged was damaged before.',
    );
  });

  test('with wrong inputs', () => {
    const words = describeFailure(new InputError([{ input: 'confirm', message: 'bad.' }]), { command: 'restore' });
    expect(words.title).toBe('The restore failed (ERR_INPUT)');
    expect(words.safety).toBe('Nothing was read and nothing was touched. All backups are untouched.');
  });

  test('while the safety backup is taken and others are kept out', () => {
    expect(lines('ERR_SAFETY_BACKUP', restoreNews('in-place', { stage: 'looking', giveAccessBack: ACCESS }))).toEqual([
      'It went wrong.',
      `No row of \`db.acme.com/shop\` was changed. OTHERS ARE STILL KEPT OUT of \`db.acme.com/shop\`: give access back (below). ${UNTOUCHED}`,
      'What to do: Mend it.',
      'Others are kept out of `db.acme.com/shop`. Give access back, with psql as the same role:',
      '    ALTER DATABASE "shop" ALLOW_CONNECTIONS true;',
      '    GRANT CONNECT ON DATABASE "shop" TO PUBLIC;',
    ]);
    const back = restoreNews('in-place', { stage: 'looking', giveAccessBack: [] });
    expect(failed('ERR_SAFETY_BACKUP', back).toType).toEqual([]);
    expect(failed('ERR_SAFETY_BACKUP', back).safety).toMatch(/^Nothing was touched/);
  });

  test('while a new database is filled', () => {
    const news = restoreNews('new-database', { stage: 'restoring', leftOverDatabase: 'shop_restored_k3v9qa' });
    expect(lines('ERR_RESTORE_FAILED', news)).toEqual([
      'It went wrong.',
      `No row of \`db.acme.com/shop\` was changed: the backup was being restored into the new database \`shop_restored_k3v9qa\`, which nobody uses. Take nothing from there: it is not proven. ${UNTOUCHED}`,
      'What to do: Mend it.',
      '`shop_restored_k3v9qa` is left over; look at it if that helps, then drop it:',
      '    DROP DATABASE IF EXISTS "shop_restored_k3v9qa";',
    ]);
    const removed = failed('ERR_RESTORE_FAILED', { ...news, leftOverDatabase: '' });
    expect(removed.safety).toContain('which nobody uses. That one was removed again.');
    expect(removed.toType).toEqual([]);
    const { checks } = restoreResult().recovery;
    const after = failed('ERR_AFTER_RESTORE', { ...news, checks });
    expect(after.safety).toContain('That one was proven; what failed came after that.');
  });

  test('while it is swapped in', () => {
    const news = restoreNews('swap', { stage: 'replacing', giveAccessBack: ACCESS, safetyBackup: SAFETY_BACKUP });
    expect(lines('ERR_SWAP_FAILED', news)).toEqual([
      'It went wrong.',
      `Nothing is lost: both renames are one transaction, so \`db.acme.com/shop\` is still the old database, or it is the restored one and the old one is whole under \`shop_before_k3v9qa\`. Look which (below) before you do anything else. OTHERS ARE STILL KEPT OUT of \`db.acme.com/shop\`: give access back (below). ${UNTOUCHED}`,
      'What to do: Mend it.',
      'Others are kept out of `db.acme.com/shop`. Give access back, with psql as the same role:',
      ...ACCESS.map((line) => `    ${line}`),
      'Look which databases there are: with `shop_before_k3v9qa` among them the swap was done, without it nothing was renamed.',
      "    SELECT datname FROM pg_database WHERE datname IN ('shop', 'shop_restored_k3v9qa', 'shop_before_k3v9qa');",
    ]);
  });

  test('after it was swapped in, with the way back', () => {
    const { wayBack } = restoreResult({ strategy: 'swap' });
    const words = failed('ERR_CONNECT', restoreNews('swap', { stage: 'replaced', wayBack }));
    expect(words.safety).toBe(
      `\`db.acme.com/shop\` is the restored database now, and the former one is kept whole as \`shop_before_k3v9qa\`. What failed came after that. ${UNTOUCHED}`,
    );
    expect(words.toType).toEqual(wayBack);
  });

  test('while it is replaced in place', () => {
    const news = restoreNews('in-place', { stage: 'replacing', safetyBackup: SAFETY_BACKUP });
    const kept = `What it held before is in the safety backup \`${SAFETY_BACKUP.id}\`, proven and complete: \`${SAFETY_BACKUP.uri}\`.`;
    expect(lines('ERR_RESTORE_FAILED', news)).toEqual([
      'It went wrong.',
      `\`db.acme.com/shop\` was being replaced in one transaction, which Postgres undoes as a whole unless it was committed: it holds either what it held before or all of the backup, and nothing between. ${kept} ${UNTOUCHED}`,
      'What to do: Mend it.',
      `To bring back what was there before, run this workflow again with \`backup: ${SAFETY_BACKUP.id}\`; or by hand, into a new database:`,
      '    NEW_DATABASE=before_the_restore',
      `    ${SAFETY_BACKUP.restoreCommand}`,
    ]);
    expect(lines('ERR_RESTORE_FAILED', { ...news, undone: true })).toEqual([
      'It went wrong.',
      `\`db.acme.com/shop\` holds what it held before: it was replaced in one transaction, which Postgres has undone. ${UNTOUCHED}`,
      'What to do: Mend it.',
    ]);
    expect(lines('ERR_RESTORE_FAILED', { ...news, undone: false })).toEqual(lines('ERR_RESTORE_FAILED', news));
    // There is no new database to fill in this strategy: what is being filled is the one that is there.
    expect(failed('ERR_RESTORE_FAILED', { ...news, stage: 'restoring' }).safety).toContain('in one transaction');
  });

  test('in place without a safety backup', () => {
    const words = failed('ERR_AFTER_RESTORE', restoreNews('in-place', { stage: 'replaced' }));
    expect(words.safety).toContain('`db.acme.com/shop` holds the restored backup now. What failed came after that.');
    expect(words.safety).toContain('There is no safety backup of what it held before');
    expect(words.toType).toEqual([]);
  });

  test('are in the summary, escaped, as lines to copy', () => {
    const hostile = 'shop"; `x`';
    const news = restoreNews('new-database', { stage: 'restoring', newDatabase: hostile, leftOverDatabase: hostile });
    const summary = failureSummary(failed('ERR_RESTORE_FAILED', news), [], plain);
    expect(summary).toMatch(/^## ❌ The restore of "shop" failed/);
    expect(summary).toContain('```\nDROP DATABASE IF EXISTS "shop""; `x`";\n```');
  });

  const STAGES: readonly RecoveryStage[] = ['looking', 'restoring', 'replacing', 'replaced'];
  const CODES: readonly ErrorCode[] = [
    'ERR_BACKUP_NOT_FOUND',
    'ERR_BACKUP_DAMAGED',
    'ERR_DECRYPT',
    'ERR_TARGET_NOT_EMPTY',
    'ERR_TARGET_UNFIT',
    'ERR_TARGET_BUSY',
    'ERR_CONFIRM',
    'ERR_PERSON_UNKNOWN',
    'ERR_PLAN_UNKNOWN',
    'ERR_PLAN_OLD',
    'ERR_PLAN_OWN',
    'ERR_PLAN_DIFFERS',
    'ERR_RESTORE_FAILED',
    'ERR_SWAP_FAILED',
    'ERR_SAFETY_BACKUP',
    'ERR_AFTER_RESTORE',
    'ERR_KILLED',
    'ERR_CANCELLED',
  ];
  const STRATEGIES: readonly Strategy[] = ['new-database', 'swap', 'in-place'];

  test.each(CODES)('with %s name the backup, the database and what to do, at every stage', (code) => {
    for (const stage of STAGES) {
      for (const strategy of STRATEGIES) {
        const words = failed(
          code,
          restoreNews(strategy, { stage, safetyBackup: SAFETY_BACKUP, giveAccessBack: ACCESS }),
        );
        expect(words.title).toBe(`The restore of "shop" failed (${code})`);
        expect(words.safety).toContain('`db.acme.com/shop`');
        expect(words.safety).toContain(code === 'ERR_BACKUP_DAMAGED' ? 'This run changed no backup' : UNTOUCHED);
        expect(words.safety).not.toContain('Nothing was touched');
        expect(words.action).toBe('Mend it.');
        expect(words.toType[0]?.commands).toEqual(ACCESS);
        expect(words.safety.includes('No row of')).toBe(
          stage === 'looking' || (stage === 'restoring' && strategy !== 'in-place'),
        );
      }
    }
  });
});

describe('the words of a failed drill', () => {
  test('say that the database that is backed up was not touched', () => {
    const news: Partial<RunNews> = { command: 'drill', name: 'shop', backupId: SET_ID, backupUri: SET_URI };
    const words = failed('ERR_DRILL_SERVER', news);
    expect(words.title).toBe('The drill of "shop" failed (ERR_DRILL_SERVER)');
    expect(words.safety).toBe(
      `Nothing was touched, neither the database that is backed up nor the target of the drill. ${UNTOUCHED}`,
    );
    const later = failed('ERR_RESTORE_FAILED', { ...news, stage: 'restoring', leftOverDatabase: 'drill_k3v9qa' });
    expect(later.safety).toContain('The database that is backed up was not touched: a drill works in a throwaway one.');
    expect(later.safety).toContain('That is `drill_k3v9qa`.');
    expect(later.toType[0]?.commands).toEqual(['DROP DATABASE IF EXISTS "drill_k3v9qa";']);
  });
});

describe('a restore or drill that came to its end', () => {
  test('is no trouble when it passed, or when a partial one was accepted', () => {
    for (const result of [restoreResult(), restoreResult({ status: 'partial', acceptPartial: true }), drillResult()]) {
      expect(describeTrouble(result)).toBeUndefined();
    }
  });

  test.each(['partial', 'not-run', 'failed'] as const)('is trouble with a check that is %s', (status) => {
    const words = describeTrouble(restoreResult({ status, strategy: 'swap' }));
    const outcome =
      status === 'failed' ? 'is done, but failed: what came back is wrong' : 'is done, but partial, so not passed';
    expect(words?.title).toBe(`The restore of "shop" ${outcome} (ERR_NOT_PROVEN)`);
    expect(words?.happened).toBe('1 of 2 checks did not pass: tables');
    expect(words?.safety).toContain(
      '`shop` holds what was restored. The former database is kept whole as `shop_before_k3v9qa`.',
    );
    expect(words?.toType[0]?.commands[1]).toContain('RENAME TO');
    expect(describeTrouble(drillResult({ status }))?.title).toBe(
      `The drill of "shop" ${status === 'failed' ? 'failed' : 'is partial, so not passed'} (ERR_NOT_PROVEN)`,
    );
  });

  test('is not called wrong when nothing but a critical table is empty', () => {
    const empty: Check = { id: 'critical-tables', status: 'failed', reason: '1 critical table is empty', details: [] };
    const titleWith = (status: Check['status']) => {
      const { checks } = recoveryOf({ status });
      return describeTrouble(restoreResult({ more: { checks: [...checks, empty], verdict: 'failed' } }))?.title;
    };
    expect(titleWith('passed')).toContain('is done, but failed: a critical table is missing or empty');
    expect(titleWith('failed')).toContain('is done, but failed: what came back is wrong');
  });

  test('that failed is trouble even when a partial verdict was accepted', () => {
    expect(describeTrouble(restoreResult({ status: 'failed', acceptPartial: true }))?.code).toBe('ERR_NOT_PROVEN');
    expect(describeTrouble(drillResult({ status: 'failed', acceptPartial: true }))?.action).toContain(
      'Do not count on',
    );
  });

  test('without any check is trouble', () => {
    const words = describeTrouble(restoreResult({ more: { checks: [], verdict: 'partial' } }));
    expect(words?.happened).toBe('No check was done at all');
  });

  test('says what a strategy left untouched', () => {
    const safety = (strategy: Strategy, more = {}) =>
      describeTrouble(restoreResult({ status: 'failed', strategy, more }))?.safety;
    expect(safety('new-database')).toContain(
      '`shop_restored_k3v9qa` holds what was restored, and nobody uses it yet. `db.acme.com/shop` was not touched.',
    );
    expect(safety('in-place')).toContain(`What it held before is in the safety backup \`${SAFETY_BACKUP.id}\``);
    const { formerDatabase: _, ...target } = restoreResult({ strategy: 'swap' }).recovery.target;
    expect(safety('swap', { target })).toContain('it was not swapped in');
  });
});
