/** The server itself: its version, its end of life, and settings under which data can be lost. */
import { END_OF_LIFE, OLDEST_KNOWN_MAJOR, openHoles, safeMinor } from '../postgres-releases.ts';
import { DAY_MS } from '../time.ts';
import { countOf, formatAge } from '../words.ts';
import { healthCheck } from './model.ts';

const LEAST_DAYS_OF_LIFE = 180;
const DAY_SECONDS = 86_400;

export const SERVER = [
  healthCheck({
    code: 'server-version',
    group: 'danger',
    needs: 'server',
    words:
      'Warns when [security holes of the server](#releases-of-postgres) are known that a newer minor release mends.',
    judge: ({ version, major }) => {
      const minor = Number(/^\d+\.(\d+)/.exec(version)?.[1] ?? -1);
      const holes = openHoles('server', major, minor);
      if (holes.length === 0)
        return {
          status: 'passed',
          seen: `No security hole of Postgres ${version} was known when this action was released`,
        };
      const safe = safeMinor(holes);
      return {
        status: 'warning',
        seen: `Postgres ${version} has ${countOf(holes.length, 'known security hole')}`,
        action:
          safe === undefined
            ? 'They are not mended in this major any more: upgrade to a newer one.'
            : `Update to ${major}.${safe} or newer; a minor release needs a restart and nothing else.`,
        details: holes.map(({ cve, allows }) => `${cve}: ${allows}`),
        value: holes.length,
      };
    },
  }),
  healthCheck({
    code: 'end-of-life',
    group: 'danger',
    needs: 'server',
    words:
      'Warns when the major version [gets no fixes any more](#releases-of-postgres), or will not after so many days.',
    limit: { value: LEAST_DAYS_OF_LIFE, unit: 'days', lessIsWorse: true },
    judge: ({ major }, { limit, now }) => {
      const action = 'Plan the upgrade to a newer major: a drill on it shows that the data comes back there.';
      const end = END_OF_LIFE[major];
      if (end === undefined)
        return major < OLDEST_KNOWN_MAJOR
          ? { status: 'warning', seen: `Postgres ${major} has had no fixes for years`, action }
          : { status: 'passed', seen: `Postgres ${major} is newer than this action, whose list has no end for it` };
      const days = Math.floor((Date.parse(end) - now.getTime()) / DAY_MS);
      const seen =
        days < 0
          ? `Postgres ${major} has had no fixes since ${end}`
          : `Postgres ${major} gets fixes until ${end}, ${formatAge(days * DAY_SECONDS)} from now`;
      if (days > limit) return { status: 'passed', seen, value: days };
      return { status: 'warning', seen, action, value: days };
    },
  }),
  healthCheck({
    code: 'checksums',
    group: 'danger',
    needs: 'checksums',
    words:
      'Fails when the server found damaged pages. Not run where data checksums are switched off: then nobody would notice.',
    judge: ({ on, failures }) => {
      if (failures > 0) {
        return {
          status: 'failed',
          seen: `The server found ${countOf(failures, 'damaged page')}`,
          action:
            'Take a backup with `verify: source` now and keep every older one; find the failing disk or memory before you repair anything.',
          value: failures,
        };
      }
      if (on) return { status: 'passed', seen: 'No damaged page was found', value: 0 };
      return {
        status: 'not-run',
        seen: 'Data checksums are switched off, so that damaged pages go unnoticed',
        action: 'Stop the server and run `pg_checksums --enable`; providers have a setting for it, or have it on.',
      };
    },
  }),
  healthCheck({
    code: 'durability',
    group: 'danger',
    needs: 'durability',
    words: 'Fails when `fsync` or `full_page_writes` is off: a crash then loses or damages data.',
    judge: ({ fsync, fullPageWrites }) => {
      const off = [...(fsync ? [] : ['fsync']), ...(fullPageWrites ? [] : ['full_page_writes'])];
      if (off.length === 0) return { status: 'passed', seen: '`fsync` and `full_page_writes` are on' };
      return {
        status: 'failed',
        seen: `${off.map((name) => `\`${name}\``).join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: a crash can damage the whole database`,
        action: `${off.map((name) => `ALTER SYSTEM SET ${name} = on;`).join(' ')} SELECT pg_reload_conf();`,
      };
    },
  }),
];
