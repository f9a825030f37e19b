/** Sessions on real servers: TLS, refusals, passwords, hosts. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, type ConnectionBench, PASSWORD, startConnectionBench, unusedPort } from '../support/connection-bench.ts';
import { connectionCases, localhost } from '../support/connection-cases.ts';

let bench: ConnectionBench;
beforeAll(async () => {
  bench = await startConnectionBench();
});
afterAll(() => bench?.stop());

describe('a session', () => {
  it('has libpq’s meaning of TLS and of refusals', async () => {
    for (const [name, text, expected] of connectionCases(bench)) expect(await bench.outcome(text), name).toBe(expected);
  });

  it('may begin with TLS at once, or trust the machine’s own roots', async () => {
    expect(await bench.outcome(at(bench.tlsServer, 'sslmode=require sslnegotiation=direct'))).toBe('tls');
    expect(await bench.outcome(at(bench.tlsServer, `${localhost} sslrootcert=system`))).toBe('ERR_TLS');
  });

  it('answers only the methods of require_auth', async () => {
    expect(await bench.outcome(at(bench.tlsServer, 'require_auth=scram-sha-256'))).toBe('tls');
    expect(await bench.outcome(at(bench.tlsServer, 'require_auth=scram-sha-256', 'clear'))).toBe('ERR_AUTH');
    expect(await bench.outcome(at(bench.tlsServer, 'require_auth=!none', 'trusted'))).toBe('ERR_AUTH');
  });

  it('checks requirepeer by the owner of the socket', async () => {
    const socket = `host=${bench.tlsServer.socketDir} port=${bench.tlsServer.port} user=postgres`;
    const { uid } = await stat(path.join(bench.tlsServer.socketDir, `.s.PGSQL.${bench.tlsServer.port}`));
    const passwd = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
    const owner = passwd.find((fields) => fields[2] === String(uid))?.[0];
    expect(await bench.outcome(`${socket} requirepeer=${owner}`)).toBe('plain');
    expect(await bench.outcome(`${socket} requirepeer=somebody-else`)).toBe('ERR_AUTH');
  });

  it('takes the password from the password file and masks it before use', async () => {
    const file = path.join(bench.folder, 'passwords');
    await writeFile(file, `localhost:*:*:*:wrong\n127.0.0.1:${bench.tlsServer.port}:*:app:${PASSWORD}\n`, {
      mode: 0o600,
    });
    const { client, host, masked } = await bench.open(at(bench.tlsServer, `password='' passfile=${file}`));
    await client.end();
    expect(host.password).toBe(PASSWORD);
    expect(masked).toContain(PASSWORD);
    await writeFile(path.join(bench.folder, 'open'), '', { mode: 0o644 });
    const refused = await bench.failure(at(bench.tlsServer, `password='' passfile=${path.join(bench.folder, 'open')}`));
    expect(refused).toMatchObject({ code: 'ERR_INPUT', hint: expect.stringContaining('chmod 600') });
  });

  it('shows the name it was given, unless the user chose another, and ignores the process’s PG* variables', async () => {
    process.env.PGOPTIONS = '-c application_name=intruder -c geqo=off';
    process.env.PGAPPNAME = 'intruder';
    try {
      const seen = async (text: string) => {
        const { client } = await bench.open(text);
        const { rows } = await client.query(
          "SELECT current_setting('application_name') || current_setting('geqo') AS it",
        );
        await client.end();
        return rows[0].it;
      };
      expect(await seen(at(bench.tlsServer, ''))).toBe('our teston');
      expect(await seen(at(bench.tlsServer, 'application_name=mine'))).toBe('mineon');
    } finally {
      delete process.env.PGOPTIONS;
      delete process.env.PGAPPNAME;
    }
  });

  it('goes to the first host that answers and is what target_session_attrs asks for', async () => {
    const dead = await unusedPort();
    const list = `host=127.0.0.1,127.0.0.1,127.0.0.1 port=${dead},${bench.tlsServer.port},${bench.plainServer.port}`;
    const first = await bench.open(at(bench.tlsServer, list));
    await first.client.end();
    expect(first.host.port).toBe(bench.tlsServer.port);
    const readOnly = "options='-c default_transaction_read_only=on'";
    expect(await bench.outcome(at(bench.tlsServer, `${readOnly} target_session_attrs=read-only`))).toBe('tls');
    expect(await bench.outcome(at(bench.tlsServer, `${readOnly} target_session_attrs=read-write`))).toBe('ERR_CONNECT');
    expect(await bench.outcome(at(bench.tlsServer, 'target_session_attrs=standby'))).toBe('ERR_CONNECT');
    expect(await bench.outcome(at(bench.tlsServer, 'target_session_attrs=prefer-standby'))).toBe('tls');
  });

  it('may die without ending the process, and says so to its owner', async () => {
    const { client, log } = await bench.open(at(bench.tlsServer, ''));
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    const ended = new Promise((resolve) => client.once('end', resolve));
    await bench.tlsServer.query('SELECT pg_terminate_backend($1)', 'postgres', [rows[0].pid]);
    await ended;
    await expect(client.query('SELECT 1')).rejects.toThrow();
    expect(log.join()).toContain('terminating connection');
  });
});
