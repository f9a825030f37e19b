/**
 * Ceph RGW: a whole cluster of one monitor, one object store in memory and one gateway, from a distribution's packages.
 * One that runs already is used instead when the environment names its port and keys.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf } from '../../src/domain/errors.ts';
import { type Availability, allOf, programAvailable } from './availability.ts';
import { runTool } from './run-tool.ts';
import { describeServer, ended, freePort, type S3Server, type S3ServerKind, waitForPort } from './s3-servers.ts';

const name = 'Ceph RGW';
/** Its own, where nobody named one. */
const region = 'default';
const KEYS = { accessKeyId: 'AKIATESTACCESSKEY000', secretAccessKey: 'test/secret+key=0123456789abcdef' };
const PROGRAMS = ['monmaptool', 'ceph', 'ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin'];
/** The gateway makes its pools first: 6 s on two free cores. */
const START_LIMIT_MS = 120_000;

export function rgwKind(): S3ServerKind {
  const { RGW_PORT, RGW_ACCESS_KEY_ID: accessKeyId, RGW_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (RGW_PORT && accessKeyId && secretAccessKey) {
    const facts = { name, port: Number(RGW_PORT), accessKeyId, secretAccessKey, region };
    return { name, available: true, start: async () => describeServer(facts, async () => undefined) };
  }
  const own = rgwAvailable();
  return own === true ? { name, available: true, start: startRgw } : { name, available: false, reason: own.skipped };
}

/** Whether one can be started here, whatever runs already. */
export function rgwAvailable(): Availability {
  return allOf(
    ...PROGRAMS.map((program) => programAvailable(program, ['--version'], 'apt-get install radosgw ceph-mon ceph-osd')),
  );
}

export interface Rgw extends S3Server {
  /** For `radosgw-admin`, as CEPH_CONF. */
  readonly configuration: string;
}

/** What it stores is in memory, 2 GiB at most; the rest is in a folder that `stop` removes. */
export async function startRgw(): Promise<Rgw> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'rgw-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const [port, monitorPort, cluster, store] = [await freePort(), await freePort(), randomUUID(), randomUUID()];
  await writeFile(path.join(folder, 'ceph.conf'), configuration({ folder, port, monitorPort, cluster }));
  for (const data of ['mon', 'osd']) await mkdir(path.join(folder, data));
  const run = (program: string, ...args: string[]) =>
    runTool(program, ['--conf', path.join(folder, 'ceph.conf'), ...args], {}, CWD);
  const start = async (program: string, ...args: string[]): Promise<ChildProcess> => {
    const child = await startDaemon(folder, program, args);
    started.defer(child.stop);
    return child.process;
  };
  try {
    const map = path.join(folder, 'monitors');
    await run('monmaptool', '--create', '--fsid', cluster, '--addv', 'a', `[v2:127.0.0.1:${monitorPort}]`, map);
    await run('ceph-mon', '--id', 'a', '--mkfs', '--monmap', map);
    await waitForPort(monitorPort, await start('ceph-mon', '--id', 'a'));
    await run('ceph', 'osd', 'new', store);
    await run('ceph-osd', '--id', '0', '--mkfs', '--osd-uuid', store);
    await start('ceph-osd', '--id', '0');
    await waitForPort(port, await start('radosgw', '--name', 'client.rgw'), START_LIMIT_MS);
    const keys = ['--access-key', KEYS.accessKeyId, '--secret', KEYS.secretAccessKey];
    await run('radosgw-admin', 'user', 'create', '--uid', 'tests', '--display-name', 'tests', ...keys);
  } catch (error) {
    throw new Error(`${name} could not be started: ${messageOf(error)}\n${await lastWords(folder)}`, { cause: error });
  }
  const all = started.move();
  const server = describeServer({ name, port, ...KEYS, region }, () => all.disposeAsync());
  return { ...server, configuration: path.join(folder, 'ceph.conf') };
}

/** Debian's 20.2 looks for the classes of its object store in `lib/…`, relative to where it is started. */
const CWD = '/';

interface Layout {
  folder: string;
  port: number;
  monitorPort: number;
  cluster: string;
}

/** One copy of everything, no authentication between the parts, few threads, and nothing outside the folder. */
function configuration({ folder, port, monitorPort, cluster }: Layout): string {
  return `[global]
fsid = ${cluster}
mon_host = [v2:127.0.0.1:${monitorPort}]
public_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# Without a mode that may be insecure the gateway waits for the monitor for ever.
ms_mon_client_mode = crc
run_dir = ${folder}
admin_socket =
log_file =
mon_data = ${folder}/mon
mon_allow_pool_size_one = true
# Every change of a pool waits for these: a second each by default.
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
osd_data = ${folder}/osd
osd_objectstore = memstore
memstore_device_bytes = ${2 * 1024 ** 3}
osd_op_num_shards = 1
osd_op_num_threads_per_shard = 2
osd_pool_default_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_thread_pool_size = 16
`;
}

async function startDaemon(folder: string, program: string, args: string[]) {
  const log = await open(path.join(folder, `${program}.log`), 'w');
  const conf = path.join(folder, 'ceph.conf');
  const child = spawn(program, ['--conf', conf, '--foreground', ...args], {
    cwd: CWD,
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const stop = async (): Promise<void> => {
    process.off('exit', killWithUs);
    await ended(child);
  };
  return { process: child, stop };
}

async function lastWords(folder: string): Promise<string> {
  const said = await Promise.all(
    ['ceph-mon', 'ceph-osd', 'radosgw'].map(async (program) => {
      const text = await readFile(path.join(folder, `${program}.log`), 'utf8').catch(() => '');
      return `${program}: ${text.trim().split('\n').slice(-3).join(' | ')}`;
    }),
  );
  return said.join('\n');
}
