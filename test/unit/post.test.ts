/** What the post step says of a run that was killed, from what the main step had noted down. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunNews } from '../../src/command.ts';
import type { Strategy } from '../../src/domain/recovery.ts';
import { News } from '../../src/news.ts';
import { cleanUp } from '../../src/post.ts';
import { RunLog, runnerConsole } from '../../src/runner/log.ts';
import { OCCASION, recoveryOf, restoreNews, SAFETY_BACKUP } from '../support/recovery-result.ts';

describe('The post step of a restore that was killed', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'post-'));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  async function words(news: Partial<RunNews>): Promise<string> {
    const written: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const clock = { now: () => new Date('2026-11-21T03:20:00.000Z'), sleep: () => Promise.resolve() };
    const lookUpGoodBackup = () => Promise.resolve({ known: 'none' } as const);
    await cleanUp({ STATE_news: JSON.stringify(news) }, { clock, lookUpGoodBackup });
    return written.join('').replaceAll('%0A', '\n').replaceAll('%25', '%');
  }

  test.each<[Strategy, RunNews['stage'], readonly string[]]>([
    ['swap', 'looking', ['No row of `db.acme.com/shop` was changed.', 'Then run it again.']],
    ['swap', 'restoring', ['No row of `db.acme.com/shop` was changed', 'Then run it again.']],
    ['swap', 'replacing', ['Nothing is lost', 'Before anything else find out', 'SELECT datname FROM pg_database']],
    ['in-place', 'replacing', ['which Postgres undoes as a whole', `\`backup: ${SAFETY_BACKUP.id}\``]],
    ['in-place', 'replaced', ['holds the restored backup now', 'There is no need to run it again']],
  ])('%s, at the stage %s', async (strategy, stage, expected) => {
    const text = await words(
      restoreNews(strategy, { stage, safetyBackup: SAFETY_BACKUP, giveAccessBack: ['GRANT …;'] }),
    );
    expect(text).toContain('The restore of "shop" failed (ERR_KILLED)');
    for (const each of expected) expect(text).toContain(each);
    expect(text).toContain('OTHERS ARE STILL KEPT OUT');
    expect(text).toContain('    GRANT …;');
  });

  test('writes the incident report that was asked for', async () => {
    const reportPath = join(folder, 'incident.md');
    await words(restoreNews('swap', { stage: 'replacing', occasion: OCCASION, reportPath }));
    const report = readFileSync(reportPath, 'utf8');
    expect(report).toMatch(/^# The restore of "shop" failed/);
    expect(report).toContain('Nothing is lost');
    expect(report).toContain('octocat');
  });

  test('finds everything noted down but what there can be much of', () => {
    const file = join(folder, 'state');
    writeFileSync(file, '');
    vi.stubEnv('GITHUB_STATE', file);
    const news = new News({ GITHUB_STATE: file }, new RunLog(runnerConsole(false)));
    const [check] = recoveryOf().checks;
    news.add({ command: 'restore', timeline: [{ at: 'now', what: 'the backup was chosen' }] });
    news.add({ messages: [{ kind: 'fatal', text: 'a long story', reason: '' }], checks: check ? [check] : [] });
    const noted = readFileSync(file, 'utf8');
    expect(noted).toContain('the backup was chosen');
    expect(noted).not.toMatch(/a long story|All stored bytes/);
    expect(news.known.messages).toHaveLength(1);
  });

  test('of a backup says what it always said', async () => {
    const text = await words({ command: 'backup', name: 'shop', stage: 'writing' });
    expect(text).toContain('The backup of "shop" failed (ERR_KILLED)');
    expect(text).toContain('Older backups are untouched.');
    expect(text).toContain('Then run it again.');
  });
});
