import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { shellQuote, sqlLiteral } from '../../src/domain/restore-guide/step.ts';
import {
  type GuideSource,
  type RestoreGuideInput,
  renderRestoreCommand,
  renderRestoreGuide,
} from '../../src/domain/restore-guide.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import { manifest, SET_ID } from '../support/set-documents.ts';

const S3: GuideSource = {
  kind: 's3',
  bucket: 'acme-backups',
  prefix: 'postgres',
  region: 'auto',
  endpoint: 'https://acc.r2.cloudflarestorage.com',
};
const folder = mkdtempSync(path.join(os.tmpdir(), 'restore-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

function input(over: Partial<RestoreGuideInput> = {}): RestoreGuideInput {
  const { objects, encryption, server, snapshotAt } = manifest();
  return {
    name: 'shop',
    id: SET_ID,
    snapshotAt,
    source: S3,
    server,
    database: { encoding: 'UTF8', collate: 'de_DE.UTF-8', ctype: 'de_DE.UTF-8', localeProvider: 'libc' },
    scope: WHOLE,
    encryption,
    objects: objects.filter(({ role }) => role !== 'restore-guide'),
    ...over,
  };
}

function script(over: Partial<RestoreGuideInput> = {}): string {
  const guide = renderRestoreGuide(input(over));
  return [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1]).join('');
}

function bash(text: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  return spawnSync('bash', ['-euo', 'pipefail', ...args], {
    input: text,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
}

const HOSTILE = `it's $(touch x) \`touch x\` "q" \\ ; & | * #`;

describe('RESTORE.md', () => {
  test('says what extensions want, without naming those of the database', () => {
    const guide = renderRestoreGuide(input());
    for (const words of [
      "jq -r '.extensions[].name'",
      'timescaledb_pre_restore()',
      'cron.launch_active_jobs',
      'root key',
    ]) {
      expect(guide).toContain(words);
    }
  });

  test.each<[string, Partial<RestoreGuideInput>]>([
    ['an encrypted set in S3', {}],
    [
      'an open set in a directory',
      { encryption: { method: 'none' }, source: { kind: 'directory', path: '/srv/backups' } },
    ],
    ['a set under a passphrase', { encryption: { method: 'age-passphrase' } }],
    ['chosen schemas', { scope: { ...WHOLE, schemas: ['public'] } }],
    ['chosen tables', { scope: { ...WHOLE, tables: ['public.orders'] } }],
    ['definitions alone', { scope: { ...WHOLE, content: 'schema' } }],
    ['rows alone', { scope: { ...WHOLE, content: 'data' } }],
    ['hostile places', { source: { kind: 'directory', path: `/${HOSTILE}` } }],
  ])('for %s holds blocks that bash can read', (_what, over) => {
    const { status, stderr } = bash(script(over), ['-n']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('names the very objects of this set, with hashes, from where they lie', () => {
    const text = script();
    expect(text).toContain(`from='s3://acme-backups/postgres/shop/${SET_ID}'`);
    expect(text).toContain(
      "aws s3 cp --endpoint-url 'https://acc.r2.cloudflarestorage.com' --region 'auto' --no-progress",
    );
    for (const { name, sha256 } of input().objects) expect(text).toContain(`${sha256}  ${name}\n`);
    expect(script({ source: { ...S3, prefix: '' } })).toContain(`from='s3://acme-backups/shop/${SET_ID}'`);
    expect(script({ source: { kind: 'directory', path: '/srv' } })).toContain(`from='/srv/shop/${SET_ID}'`);
  });

  test('stops at whichever variable is missing, and says what it stands for', () => {
    const all = { BACKUP_DIR: folder, TARGET_DATABASE: 't', PGHOST: 'h', PGUSER: 'u', AGE_IDENTITY_FILE: 'f' };
    for (const missing of Object.keys(all)) {
      const { [missing as keyof typeof all]: _left, ...env } = all;
      const { status, stderr } = bash(script(), [], env);
      expect(status).not.toBe(0);
      expect(stderr).toContain(`${missing}: `);
    }
  });

  test('stops at a file that is not the one that was stored', () => {
    const source: GuideSource = { kind: 'directory', path: folder };
    const text = script({ source });
    const check = text.slice(
      text.indexOf('(cd "$BACKUP_DIR"'),
      text.indexOf('HASHES\n', text.indexOf("HASHES'\n") + 8) + 7,
    );
    for (const { name } of input().objects) writeFileSync(path.join(folder, name), 'something else');
    const { status, stdout } = bash(`${check}echo went on\n`, [], { BACKUP_DIR: folder });
    expect(status).not.toBe(0);
    expect(stdout).toContain('FAILED');
    expect(stdout).not.toContain('went on');
  });

  test('makes one word of every name of a database', () => {
    const name = `a=b' ${HOSTILE}`;
    const text = script();
    const lines = text.split('\n').filter((line) => line.startsWith('target='));
    const { stdout } = bash(`${lines.join('\n')}\nprintf %s "$target"`, [], { TARGET_DATABASE: name });
    expect(stdout).toBe(`dbname='${name.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`);
    expect(text).toContain('CREATE DATABASE :"target" TEMPLATE template0');
  });

  test('creates the database with the locale of the original', () => {
    expect(script()).toContain("ENCODING 'UTF8'\n  LC_COLLATE 'de_DE.UTF-8' LC_CTYPE 'de_DE.UTF-8'");
    const icu = { ...input().database, localeProvider: 'icu', locale: 'de-DE' };
    expect(script({ database: icu })).toContain("\\set provider 'LOCALE_PROVIDER icu ICU_LOCALE ''de-DE'''");
    const builtin = { ...icu, localeProvider: 'builtin', locale: 'C.UTF-8' };
    expect(script({ database: builtin })).toContain("BUILTIN_LOCALE ''C.UTF-8'''");
  });

  test('leaves out what this set does not have', () => {
    const noGlobals = input().objects.filter(({ role }) => role !== 'globals');
    expect(script()).toContain('globals.sql"');
    expect(script({ objects: noGlobals })).not.toContain('globals.sql');
    expect(script({ encryption: { method: 'none' } })).not.toMatch(/age -d|AGE_IDENTITY_FILE/);
    expect(script({ encryption: { method: 'age-passphrase' } })).toContain('age -d -o');
    expect(script({ scope: { ...WHOLE, content: 'data' } })).not.toContain('CREATE DATABASE');
    expect(script({ scope: { ...WHOLE, content: 'schema' } })).not.toContain('rows instead');
    expect(script()).not.toContain('DROP SCHEMA');
  });

  test('says nothing of what is inside: no table, no number of rows, no pattern, no secret', () => {
    const guide = renderRestoreGuide(
      input({ scope: { ...WHOLE, tables: ['secret_orders'], excludeTableData: ['audit'] } }),
    );
    expect(guide).not.toMatch(/secret_orders|audit|AGE-SECRET-KEY-[0-9A-Z]/);
    expect(guide).toContain('a selected part of the database without what was excluded');
  });

  test('asks for an age that knows post-quantum keys where it takes one', () => {
    expect(renderRestoreGuide(input())).not.toContain('1.3.0');
    const quantum = { method: 'age' as const, recipients: ['age1pq1xyz'] };
    expect(renderRestoreGuide(input({ encryption: quantum }))).toContain('1.3.0 or newer');
  });

  test('is not written without archive or contents', () => {
    expect(() => renderRestoreGuide(input({ objects: [] }))).toThrow(expect.objectContaining({ code: 'ERR_INTERNAL' }));
    expect(() => renderRestoreCommand(input({ objects: [] }))).toThrow(
      expect.objectContaining({ code: 'ERR_INTERNAL' }),
    );
  });
});

test('the command for people in a hurry is one line that bash can read', () => {
  expect(renderRestoreCommand(input())).toBe(
    `psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$NEW_DATABASE" --dbname postgres <<< 'CREATE DATABASE :"name" TEMPLATE template0' && aws s3 cp --endpoint-url 'https://acc.r2.cloudflarestorage.com' --region 'auto' 's3://acme-backups/postgres/shop/${SET_ID}/database.backup.age' - | age -d -i "$AGE_IDENTITY_FILE" | pg_restore --no-password --dbname "$NEW_DATABASE"`,
  );
  const open = renderRestoreCommand(
    input({ encryption: { method: 'none' }, source: { kind: 'directory', path: `/${HOSTILE}` } }),
  );
  expect(bash(open, ['-n']).status).toBe(0);
  expect(open).not.toContain('age -d');
});

describe('quoting', () => {
  test('makes one word of bash of everything', () => {
    for (const text of [HOSTILE, '', "'", 'a\nb', '-n', '~', '!!']) {
      expect(bash(`printf '<%s>' ${shellQuote(text)}`).stdout).toBe(`<${text}>`);
    }
  });

  test('makes one constant of SQL on one line of everything', () => {
    expect(sqlLiteral("O'Hara")).toBe("'O''Hara'");
    expect(sqlLiteral("a\\b'\nc")).toBe("E'a\\\\b''\\u000ac'");
  });
});
