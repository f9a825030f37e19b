import { describe, expect, test } from 'vitest';
import { PGDG_URI } from '../../src/domain/apt.ts';
import {
  type ClientPlaces,
  clientCacheKey,
  clientFolders,
  clientVersionFindings,
  hasFixedHole,
  installCommands,
  parseClientVersion,
} from '../../src/domain/client-version.ts';

describe('the version that a client tool prints', () => {
  test.each([
    ['pg_dump (PostgreSQL) 17.11 (Debian 17.11-0+deb13u1)\n', { major: 17, minor: 11, text: '17.11' }],
    ['pg_restore (PostgreSQL) 14.23\n', { major: 14, minor: 23, text: '14.23' }],
    ['pg_dumpall (PostgreSQL) 19beta2 (Debian 19~beta2-1)\n', { major: 19, text: '19beta2' }],
    ['pg_dump (PostgreSQL) 19rc1\n', { major: 19, text: '19rc1' }],
    ['pg_dump (PostgreSQL) 20devel\n', { major: 20, text: '20devel' }],
  ])('%j is understood', (printed, version) => {
    expect(parseClientVersion(printed)).toEqual(version);
  });

  test.each([
    '',
    'pg_dump (PostgreSQL) 9.6.24',
    'pg_dump (EnterpriseDB) 17.11',
    'pg_dump (PostgreSQL) 17',
    'pg_dump (PostgreSQL) 17.11x',
    'command not found: 17.11',
  ])('%j is not taken for a version', (printed) => {
    expect(parseClientVersion(printed)).toBeUndefined();
  });
});

const PLACES: ClientPlaces = {
  platform: 'linux',
  arch: 'arm64',
  toolCache: '/cache',
  systemRoot: '/usr/lib/postgresql',
  homebrewRoots: ['/opt/homebrew/opt'],
};

describe('where client tools are looked for', () => {
  test('the tool cache comes first, newest minor first, then Debian, then Homebrew', () => {
    const folders = clientFolders(17, PLACES, ['17.9', '17', '18.1', '17.11.0', '170.1', '17.x', '.DS_Store']);
    expect(folders).toEqual([
      { source: 'tool-cache', folder: '/cache/postgresql-client/17.11.0/arm64/bin' },
      { source: 'tool-cache', folder: '/cache/postgresql-client/17.9/arm64/bin' },
      { source: 'tool-cache', folder: '/cache/postgresql-client/17/arm64/bin' },
      { source: 'system', folder: '/usr/lib/postgresql/17/bin' },
      { source: 'homebrew', folder: '/opt/homebrew/opt/postgresql@17/bin' },
    ]);
  });

  test('without a tool cache only the system is looked at', () => {
    const { toolCache: _, ...places } = PLACES;
    expect(clientFolders(13, places, ['13.1']).map(({ source }) => source)).toEqual(['system', 'homebrew']);
  });

  test('the wrapper in /usr/bin is never among them', () => {
    const folders = clientFolders(17, PLACES, ['17.1']).map(({ folder }) => folder);
    expect(folders).not.toContain('/usr/bin');
  });
});

describe('a client with a known hole', () => {
  const findings = (text: string) => {
    const version = parseClientVersion(`pg_dump (PostgreSQL) ${text}`);
    if (version === undefined) throw new Error(`no version: ${text}`);
    return clientVersionFindings(version);
  };

  test.each([
    [
      'CVE-2026-6477',
      ['14.22', '15.17', '16.13', '17.9', '18.3', '18beta1'],
      ['14.23', '15.18', '16.14', '17.10', '18.4'],
    ],
    [
      'CVE-2025-12818',
      ['13.22', '14.19', '15.14', '16.10', '17.6', '18.0'],
      ['13.23', '14.20', '15.15', '16.11', '17.7', '18.1'],
    ],
    [
      'CVE-2025-8714',
      ['13.21', '14.18', '15.13', '16.9', '17.5'],
      ['13.22', '14.19', '15.14', '16.10', '17.6', '18.0'],
    ],
    ['CVE-2024-7348', ['13.15', '14.12', '15.7', '16.3'], ['13.16', '14.13', '15.8', '16.4', '17.0']],
  ])('is warned about by %s, until the minor that mends it', (cve, open, mended) => {
    const naming = (text: string) => findings(text).filter(({ seen }) => seen.includes(cve));
    for (const text of open) {
      expect(naming(text), text).toMatchObject([{ code: 'client-outdated', severity: 'warning' }]);
      expect(naming(text)[0]?.seen).toContain(`pg_dump ${text}`);
      expect(naming(text)[0]?.action).toContain('apt-get install postgresql-client-');
    }
    for (const text of mended) expect(naming(text), text).toEqual([]);
  });

  test.each(['14.23', '15.18', '16.14', '17.10', '18.4', '18.6', '19rc1', '19.0'])('is not %s', (text) => {
    expect(findings(text)).toEqual([]);
  });

  test('is told in one warning, with the minor that mends everything', () => {
    const [finding, ...more] = findings('16.2');
    expect(more).toEqual([]);
    expect(finding?.seen).toContain('pg_dump 16.2 is older than 16.14: ');
    expect(finding?.seen.match(/CVE-\d+-\d+/g)).toHaveLength(5);
  });

  test('of a major that gets no more fixes is a notice, because no update ends it', () => {
    const [finding, ...more] = findings('13.23');
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code: 'client-without-fixes', severity: 'notice' });
    expect(finding?.seen).toContain('CVE-2026-6477');
    expect(findings('13.20')).toMatchObject([{ code: 'client-outdated', seen: expect.stringContaining('13.23') }]);
  });
});

test('only a client that an update would mend is fetched anew', () => {
  expect(hasFixedHole({ major: 17, minor: 9, text: '17.9' })).toBe(true);
  expect(hasFixedHole({ major: 17, minor: 10, text: '17.10' })).toBe(false);
  expect(hasFixedHole({ major: 13, minor: 23, text: '13.23' })).toBe(false);
});

describe('the key of cached tools', () => {
  const system = {
    distribution: { id: 'debian', version: '12' },
    arch: 'x64',
    now: new Date('2026-11-21T02:00:00Z'),
    repository: { uri: PGDG_URI, key: 'key' },
  };
  const key = clientCacheKey(17, system);

  test('says what it is of', () => {
    expect(key).toMatch(/^db-backup-action-client-tools-v1-17-debian-12-x64-2026-11-[0-9a-f]{8}$/);
  });

  test.each([
    ['major', 18, {}],
    ['distribution', 17, { distribution: { id: 'ubuntu', version: '12' } }],
    ['release', 17, { distribution: { id: 'debian', version: '13' } }],
    ['architecture', 17, { arch: 'arm64' }],
    ['month', 17, { now: new Date('2026-12-01T00:00:00Z') }],
    ['repository', 17, { repository: { uri: 'https://mirror.example', key: 'key' } }],
    ['signing key', 17, { repository: { uri: PGDG_URI, key: 'another' } }],
  ])('is another for another %s', (_, major, other) => {
    expect(clientCacheKey(major, { ...system, ...other })).not.toBe(key);
  });

  test('holds no comma, which the cache refuses', () => {
    expect(clientCacheKey(17, { ...system, distribution: { id: 'a,b', version: 'c d' } })).toContain('-a_b-c_d-');
  });
});

test('what to type fits the platform', () => {
  expect(installCommands(17, 'linux')).toMatch(/apt-get install -y postgresql-client-17$/);
  expect(installCommands(17, 'darwin')).toBe('brew install postgresql@17');
  expect(installCommands(17, 'win32')).toContain('Linux');
});
