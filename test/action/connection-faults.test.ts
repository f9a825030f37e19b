/** Ways to a database that are closed: certificates that nobody vouches for, addresses that cannot be reached. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeIf, describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, type ScenarioRunOptions, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { type ExpectedFailure, expectFailed, expectProven } from '../support/expect-run.ts';
import { networkNamespaces, withoutNetwork } from '../support/network-without-ipv6.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';

const REFERENCE = 'abcdefghijklmnopqrst';

describeWith(await clientTools(17), 'A way to the database', (clients) => {
  let scenario: Scenario;
  let before: FolderState;
  let certificates: string;
  let authority: string;

  beforeAll(async () => {
    certificates = await mkdtemp(path.join(os.tmpdir(), 'certificates-'));
    const ssl = await makeSelfSignedCertificate(certificates, ['localhost']);
    authority = ssl.cert;
    scenario = await startScenario(clients, { server: { ssl } });
    await expectProven(scenario, await scenario.run(), new Map());
    before = scenario.state();
  });

  afterAll(async () => {
    await scenario?.stop();
    await rm(certificates, { recursive: true, force: true });
  });

  /** The server under another name, without asking any resolver. */
  function named(host: string, parameters: string): string {
    return `${scenario.url().replace('@127.0.0.1:', `@${host}:`)}?hostaddr=127.0.0.1&${parameters}`;
  }

  async function expectRefused(options: ScenarioRunOptions, expected: ExpectedFailure): Promise<void> {
    const run = await scenario.run(options);
    await expectFailed(scenario, run, before, { safety: 'Nothing was written', ...expected });
  }

  test('with a certificate that is not trusted is not taken, and its authority asked for', () =>
    expectRefused(
      { url: named('localhost', 'sslmode=verify-full&sslrootcert=system') },
      {
        code: 'ERR_TLS',
        happened: [/certificate is not trusted \(\w*SELF_SIGNED\w*\)/, 'localhost'],
        action: ['sslrootcert=/path/to/ca.pem', 'sslrootcert=system', 'Verification is not weakened'],
      },
    ));

  test('with a certificate that is not trusted names where the provider has its authority', () =>
    expectRefused(
      { url: named('shop.c0ffee.eu-west-1.rds.amazonaws.com', 'sslmode=verify-full&sslrootcert=system') },
      {
        code: 'ERR_TLS',
        happened: ['certificate is not trusted'],
        action: ['https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem', 'sslrootcert'],
      },
    ));

  test('with no root certificate at all is not begun, and the provider’s authority named', () =>
    expectRefused(
      { url: named('db.abcdefghijklmnopqrst.supabase.co', 'sslmode=verify-full') },
      { code: 'ERR_TLS', happened: ['needs a root certificate'], action: ['SSL Configuration', 'sslrootcert'] },
    ));

  test('with the certificate of another host is not taken', () =>
    expectRefused(
      { url: named('elsewhere.example.org', `sslmode=verify-full&sslrootcert=${authority}`) },
      { code: 'ERR_TLS', happened: ['certificate is for another host'], action: ['hostaddr=', 'verify-ca'] },
    ));

  test('with a trusted certificate is taken, by our sessions and by pg_dump', async () => {
    const run = await scenario.run({ url: named('localhost', `sslmode=verify-full&sslrootcert=${authority}`) });
    await expectProven(scenario, run, before);
    before = scenario.state();
  });

  describeIf(networkNamespaces, 'from a machine without IPv6', () => {
    const V6_ONLY = '2001:db8::5';

    test('to a Supabase host that has no IPv4 address is explained with the session pooler', async () => {
      const host = `db.${REFERENCE}.supabase.co`;
      await expectRefused(
        {
          url: scenario.url().replace(/@[^/]*\//, `@${host}:5432/`),
          inputs: { 'connect-window-seconds': '60' },
          through: withoutNetwork(scenario.folder, { [host]: V6_ONLY }),
        },
        {
          code: 'ERR_CONNECT',
          happened: [host, 'the host has no IPv4 address, and this machine has no way to IPv6'],
          action: [
            `postgresql://backup.${REFERENCE}:PASSWORD@aws-N-REGION.pooler.supabase.com:5432/postgres`,
            'Connect, "Session pooler"',
          ],
        },
      );
    });

    test.each(['db.example.org', `[${V6_ONLY}]`])('to %s is explained in general, and not waited for', async (host) => {
      const began = performance.now();
      await expectRefused(
        {
          url: scenario.url().replace(/@[^/]*\//, `@${host}:5432/`),
          inputs: { 'connect-window-seconds': '600' },
          through: withoutNetwork(scenario.folder, { 'db.example.org': V6_ONLY }),
        },
        { code: 'ERR_CONNECT', happened: ['no IPv4 address'], action: ['a runner of your own that has IPv6'] },
      );
      expect(performance.now() - began).toBeLessThan(60_000);
    });
  });
});

// libpq knows sslrootcert=system from 16 on.
for (const major of [15, 17]) {
  describeWith(await clientTools(major), `With the clients of Postgres ${major}`, (clients) => {
    test('sslrootcert=system trusts the roots of the machine, in our sessions and in pg_dump', async () => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'certificates-'));
      const ssl = await makeSelfSignedCertificate(folder, ['localhost']);
      const scenario = await startScenario(clients, { server: { ssl } });
      try {
        const url = `${scenario.url().replace('@127.0.0.1:', '@localhost:')}?hostaddr=127.0.0.1&sslrootcert=system`;
        const run = await scenario.run({ url, env: { SSL_CERT_FILE: ssl.cert } });
        await expectProven(scenario, run, new Map());
      } finally {
        await scenario.stop();
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}
