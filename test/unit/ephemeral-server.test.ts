import { describe, expect, test } from 'vitest';
import { initdbArgs, lentAccount, serverSettings, socketFits } from '../../src/domain/ephemeral-server.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

describe('The account that root lends to a server', () => {
  test('is the package’s own before anybody’s', () => {
    expect(lentAccount(`${PASSWD}postgres:x:101:104::/var/lib/postgresql:/bin/bash\n`)).toEqual({
      name: 'postgres',
      uid: 101,
      gid: 104,
    });
    expect(lentAccount(PASSWD)?.name).toBe('nobody');
    expect(lentAccount('daemon:x:1:1::/:/bin/sh')?.name).toBe('daemon');
  });

  test('is never root by another name, nor one whose line is broken', () => {
    expect(lentAccount('root:x:0:0::/:/bin/sh')).toBeUndefined();
    expect(lentAccount('postgres:x:0:0::/:/bin/sh\nnobody:x\n')).toBeUndefined();
    expect(lentAccount('')).toBeUndefined();
  });
});

describe('A socket', () => {
  test.each([
    ['linux', 93, true],
    ['linux', 94, false],
    ['darwin', 89, true],
    ['darwin', 90, false],
  ] as const)('on %s fits into a folder of %i bytes: %s', (platform, bytes, fits) => {
    expect(socketFits(`/${'ä'.repeat(2)}${'x'.repeat(bytes - 5)}`, platform)).toBe(fits);
  });
});

test('settings are quoted as postgresql.conf wants it', () => {
  expect(serverSettings("/tmp/it's")).toContain("unix_socket_directories = '/tmp/it''s'\n");
});

test('initdb gets no password and no name that could be taken for an option', () => {
  expect(initdbArgs('/x/-data', 'C')).toContain('--pgdata=/x/-data');
});
