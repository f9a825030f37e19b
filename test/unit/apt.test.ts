import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { aptTrouble, missingLibraries, newestClient, parseOsRelease, pgdgSource } from '../../src/domain/apt.ts';
import { PGDG_FINGERPRINT, PGDG_KEY } from '../../src/domain/pgdg-key.ts';

describe('the distribution of a machine', () => {
  test.each([
    [
      'Debian',
      'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
      { id: 'debian', version: '12', codename: 'bookworm' },
    ],
    [
      'Ubuntu',
      'NAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\nUBUNTU_CODENAME=noble\n',
      { id: 'ubuntu', version: '24.04', codename: 'noble' },
    ],
    [
      'Mint by the Ubuntu below it',
      'ID=linuxmint\nVERSION_ID="22"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n',
      { id: 'linuxmint', version: '22', codename: 'noble' },
    ],
    ['Alpine, which has no codename', 'ID=alpine\nVERSION_ID=3.22.0\n', { id: 'alpine', version: '3.22.0' }],
    ['a codename that is not one', 'ID=x\nVERSION_CODENAME="a b] http://evil"\n', { id: 'x', version: '' }],
    ['nothing', '', { id: 'linux', version: '' }],
  ])('%s is read', (_, text, distribution) => {
    expect(parseOsRelease(text)).toEqual(distribution);
  });
});

test('the repository is trusted by its own key alone, and asked for one architecture', () => {
  const options = { major: 19, codename: 'noble', architecture: 'arm64', keyFile: '/w/key.asc' };
  expect(pgdgSource({ uri: 'https://m.example/apt', key: '' }, options)).toBe(
    'deb [arch=arm64 signed-by=/w/key.asc] https://m.example/apt noble-pgdg main 19\n',
  );
});

describe('what apt reports', () => {
  const said = (exitCode: number, stderr: string) => aptTrouble({ exitCode, stdout: '', stderr });

  test('is no trouble when all went well, whatever it remarks', () => {
    expect(said(0, '')).toBeUndefined();
    expect(said(0, "W: Skipping acquire of configured file 'main/binary-amd64/Packages'")).toBeUndefined();
    expect(said(0, 'W: https://a.example/InRelease: Key is stored in legacy trusted.gpg keyring')).toBeUndefined();
  });

  test('is trouble when a repository cannot be reached, though the exit code is 0', () => {
    const words = "Failed to fetch https://a.example/InRelease  Could not resolve 'a.example'";
    expect(said(0, `W: ${words}\nW: Some index files failed to download. They have been ignored.`)).toEqual({
      untrusted: false,
      words,
    });
  });

  test.each([
    'W: GPG error: http://a noble-pgdg InRelease: NO_PUBKEY 7FCC7D46ACCC4CF8\nE: The repository is not signed.',
    'W: OpenPGP signature verification failed: http://a InRelease: Sub-process /usr/bin/sqv returned an error code (1), error message is: Missing key B97B0AFC',
    'E: The following signatures were invalid: EXPKEYSIG 7FCC7D46ACCC4CF8',
    "E: The repository 'http://a noble-pgdg Release' is not signed.",
    'E: Failed to fetch http://a/x.deb  Hash Sum mismatch',
    'E: Failed to fetch http://a/Packages.gz  File has unexpected size (1 != 2). Mirror sync in progress?',
    "E: Clearsigned file isn't valid, got 'NOSPLIT' (does the network require authentication?)",
    'E: Release file for http://a/InRelease is expired (invalid since 3d).',
  ])('is distrust: %s', (stderr) => {
    expect(said(100, stderr)).toMatchObject({ untrusted: true });
  });

  test.each([
    "E: The repository 'http://a noble-pgdg Release' does not have a Release file.",
    'E: Failed to fetch http://a/x.deb  404  Not Found',
    'E: Unable to locate package postgresql-client-42',
  ])('is no distrust: %s', (stderr) => {
    expect(said(100, stderr)).toEqual({ untrusted: false, words: stderr.slice(3) });
  });

  test('is no distrust when the server answers with an error, of which apt says that it is not signed', () => {
    const failed = 'Failed to fetch http://a/InRelease  403  Forbidden [IP: 203.0.113.80 443]';
    const words = "The repository 'http://a noble-pgdg InRelease' is not signed.";
    expect(said(100, `E: ${failed}\nE: ${words}`)).toEqual({ untrusted: false, words: `${failed}; ${words}` });
  });

  test('is never silence', () => {
    expect(said(7, '')).toEqual({ untrusted: false, words: 'exit code 7' });
    expect(aptTrouble({ exitCode: 1, stdout: 'one\ntwo\n', stderr: '' })?.words).toBe('one; two');
  });
});

test('the newest client is found among package names, and those that are no clients are not', () => {
  const names =
    'postgresql-client-common\npostgresql-client-9.6\npostgresql-client-17-dbgsym\npostgresql-client-16\npostgresql-client-18\n';
  expect(newestClient(names)).toBe(18);
  expect(newestClient('postgresql-client-common\n')).toBeUndefined();
});

test('libraries that a machine lacks are brought, but neither its C library, nor Perl, nor another architecture’s', () => {
  const simulated = [
    'Inst perl (5.36 Debian:12 [amd64])',
    'Inst libperl5.36 (5.36 Debian:12 [amd64])',
    'Inst libc6 [2.36-8] (2.36-9 Debian:12 [amd64])',
    'Inst libldap-2.5-0 (2.5.13 Debian:12 [amd64])',
    'Inst libldap-2.5-0:i386 (2.5.13 Debian:12 [i386])',
    'Inst postgresql-client-17 (17.11 PGDG [amd64])',
    'Conf libssl3 (3.0 Debian:12 [amd64])',
  ];
  expect(missingLibraries(simulated.join('\n'))).toEqual(['libldap-2.5-0']);
});

test('the key of the repository is the one with its fingerprint', () => {
  const body = /\n\n([\s\S]*?)\n=/.exec(PGDG_KEY)?.[1] ?? '';
  const packets = Buffer.from(body, 'base64');
  // RFC 4880, 4.2 and 12.2: the first packet, of old format with a length of two bytes, is the key itself.
  expect(packets[0]).toBe(0x99);
  const key = packets.subarray(0, 3 + packets.readUInt16BE(1));
  expect(createHash('sha1').update(key).digest('hex').toUpperCase()).toBe(PGDG_FINGERPRINT);
});
