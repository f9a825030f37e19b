import { describe, expect, it } from 'vitest';
import { libpqEnvironment, libpqPassFile, libpqServiceFile, parseConnection } from '../../src/domain/connection.ts';

const files = { serviceFile: '/w/service.conf', passFile: '/w/pass' };
const env = { PATH: '/bin', HOME: '/home/u', GITHUB_TOKEN: 'ghs_secret', PGPASSWORD: 'from-env' };

describe('a connection in libpq’s terms', () => {
  it('holds the password in the pass file only', () => {
    const request = parseConnection('postgres://u:hunter:2\\@h:6000/db?sslmode=require', env);
    const [host] = request.hosts;
    const service = libpqServiceFile(request, host);
    const environment = libpqEnvironment(request, host, files);
    expect(libpqPassFile(request, host)).toBe('*:*:*:*:hunter\\:2\\\\\n');
    expect(service + JSON.stringify(environment)).not.toMatch(/hunter|from-env|ghs_/);
    expect(service.split('\n')).toEqual(
      expect.arrayContaining(['[backup]', 'host=h', 'port=6000', 'user=u', 'dbname=db', 'sslmode=require']),
    );
    expect(environment).toEqual({
      PATH: '/bin',
      HOME: '/home/u',
      LC_ALL: 'C.UTF-8',
      PGSERVICEFILE: '/w/service.conf',
      PGSERVICE: 'backup',
      PGPASSFILE: '/w/pass',
    });
  });

  it('gives up silent connections, unless the user said how', () => {
    const own = parseConnection('postgres://u@h', {});
    expect(libpqServiceFile(own, own.hosts[0])).toMatch(
      /keepalives_idle=30\nkeepalives_interval=10\nkeepalives_count=3/,
    );
    const given = parseConnection('postgres://u@h?keepalives_idle=5', {});
    expect(libpqServiceFile(given, given.hosts[0])).toMatch(/keepalives_idle=5\n(?!.*keepalives_count)/);
    const socket = parseConnection('postgres://u@/db?host=/tmp', {});
    expect(libpqServiceFile(socket, socket.hosts[0])).not.toContain('keepalives');
  });

  it('puts what a line cannot hold into variables: line breaks, spaces at the end, very long values', () => {
    const long = `-c ${'x'.repeat(300)}`;
    const text = `host=h user='two\nlines' dbname='ends in ' application_name=' leads #x' options='${long}'`;
    const request = parseConnection(text, {});
    const service = libpqServiceFile(request, request.hosts[0]);
    expect(service).toContain('\napplication_name= leads #x\n');
    expect(service).not.toMatch(/^(user|dbname|options|lines)/m);
    expect(libpqEnvironment(request, request.hosts[0], files)).toMatchObject({
      PGUSER: 'two\nlines',
      PGDATABASE: 'ends in ',
      PGOPTIONS: long,
    });
  });

  it('gives keywords that an old libpq may ignore by variable, and those that protect by line', () => {
    const query = 'sslmode=require&sslnegotiation=direct&require_auth=scram-sha-256&target_session_attrs=standby';
    const request = parseConnection(`postgres://u@h?${query}`, {});
    const service = libpqServiceFile(request, request.hosts[0]);
    expect(service).toContain('require_auth=scram-sha-256');
    expect(service).not.toMatch(/sslnegotiation|target_session_attrs/);
    expect(libpqEnvironment(request, request.hosts[0], files).PGSSLNEGOTIATION).toBe('direct');
  });

  it('names the one chosen host of several', () => {
    const request = parseConnection('host=a,b hostaddr=10.0.0.1,10.0.0.2 port=1,2 user=u', {});
    expect(libpqServiceFile(request, request.hosts[1] ?? request.hosts[0])).toMatch(
      /host=b\nhostaddr=10\.0\.0\.2\nport=2\n/,
    );
  });

  it('writes an empty pass file without a password, so that no other one is read', () => {
    const request = parseConnection('postgres://u@h', {});
    expect(libpqPassFile(request, request.hosts[0])).toBe('');
  });
});
