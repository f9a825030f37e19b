/** The same connections through psql, with the files that a child process is given. */
import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConnection } from '../../src/domain/connection.ts';
import { writeCredentials } from '../../src/postgres/credentials.ts';
import { describeWith } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { at, type ConnectionBench, PASSWORD, startConnectionBench } from '../support/connection-bench.ts';
import { connectionCases } from '../support/connection-cases.ts';

let bench: ConnectionBench;
beforeAll(async () => {
  bench = await startConnectionBench();
});
afterAll(() => bench?.stop());

for (const major of [13, 18]) {
  describeWith(await clientTools(major), `psql ${major} with the files of a child process`, (clients) => {
    it('comes to the same end as our own session', async () => {
      for (const [name, text, expected] of connectionCases(bench))
        expect(await bench.psqlOutcome(clients, text), name).toBe(expected);
    });

    it('and our session log in with every password and user of printable characters', async () => {
      const admin = await bench.tlsServer.connect();
      const printable = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 });
      const all = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
      const quote = (value: string) => `'${value.replace(/[\\']/g, '\\$&')}'`;
      try {
        await fc.assert(
          fc.asyncProperty(printable, printable, async (password, user) => {
            await admin.query(
              `CREATE ROLE ${admin.escapeIdentifier(user)} LOGIN PASSWORD ${admin.escapeLiteral(password)}`,
            );
            const [u, p] = [user, password].map(encodeURIComponent);
            const uri = `postgresql://${u}:${p}@127.0.0.1:${bench.tlsServer.port}/postgres`;
            const pairs = `host=127.0.0.1 port=${bench.tlsServer.port} dbname=postgres user=${quote(user)} password=${quote(password)}`;
            expect(await bench.outcome(uri)).toBe('tls');
            expect(await bench.outcome(pairs)).toBe('tls');
            expect(await bench.psqlOutcome(clients, uri)).toBe('tls');
            await admin.query(`DROP ROLE ${admin.escapeIdentifier(user)}`);
          }),
          {
            numRuns: 15,
            examples: [
              [all, all.slice(0, 60)],
              [' both ends ', ' both ends '],
              ['#', '#'],
              ['\\:', "'\\"],
            ],
          },
        );
      } finally {
        await admin.end();
      }
    });
  });
}

describe('the files of a child process', () => {
  it('are its owner’s alone, hold the password in one place and are removed', async () => {
    const request = parseConnection(at(bench.tlsServer, ''), { PATH: '/bin', HOME: bench.folder });
    const work = await mkdtemp(path.join(bench.folder, 'work-'));
    const { env, remove } = await writeCredentials(work, request, request.hosts[0]);
    const files = [env.PGSERVICEFILE, env.PGPASSFILE] as string[];
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(files[0] as string))).mode & 0o777).toBe(0o700);
    expect(await readFile(files[0] as string, 'utf8')).not.toContain(PASSWORD);
    expect(JSON.stringify(env)).not.toContain(PASSWORD);
    await remove();
    await remove();
    expect(await readdir(work)).toEqual([]);
  });
});
