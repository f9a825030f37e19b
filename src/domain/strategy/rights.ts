/** What the role, and the host, must allow for each strategy. */
import type { Finding } from '../findings.ts';
import type { ProviderId } from '../providers.ts';
import type { Strategy } from '../recovery.ts';
import type { TargetFacts } from '../target.ts';
import { countOf } from '../words.ts';
import { inTheWay } from './finding.ts';

/**
 * Hosts of one database a project: another one cannot be made, or is served by nothing, and it cannot be renamed.
 * supabase.com/docs/guides/database/connecting-to-postgres (the platform's services use `postgres`);
 * devcenter.heroku.com/articles/heroku-postgresql (one database an add-on, roles without CREATEDB);
 * prisma.io/docs/postgres (one database an instance).
 */
const ONE_DATABASE: Partial<Record<ProviderId, string>> = {
  supabase: 'Supabase serves the database `postgres` alone (API, Auth and Storage use no other)',
  heroku: 'Heroku gives one database an add-on',
  prisma: 'Prisma Postgres gives one database an instance',
};

const IN_PLACE =
  'use `strategy: in-place` with `confirm` and `reason` (a safety backup is taken first), or a fresh project or add-on as the target';

export function assessRights(strategy: Strategy, target: TargetFacts): Finding[] {
  if (!target.exists && strategy !== 'new-database') {
    return [
      inTheWay(
        'database-missing',
        `There is no database ${target.database.name} on the target, so nothing can be put in its place`,
        'Correct the name in `target-database-url`, or use `strategy: new-database`.',
      ),
    ];
  }
  if (strategy === 'in-place') return assessOwner(target);
  return [...assessCreating(strategy, target), ...(strategy === 'swap' ? assessRenaming(target) : [])];
}

function assessOwner({ role, database }: TargetFacts): Finding[] {
  if (role.ownsDatabase) return [];
  return [
    {
      code: 'not-owner',
      severity: 'warning',
      seen: `${role.name} does not own the database ${database.name}: it can replace only what belongs to itself`,
      action: `Connect as the owner, or as a superuser.`,
    },
  ];
}

function assessCreating(strategy: Strategy, { role, provider }: TargetFacts): Finding[] {
  const host = provider === undefined ? undefined : ONE_DATABASE[provider.id];
  if (!role.createDatabase) {
    const seen = host === undefined ? '' : `${host}, and `;
    const grant = `As a superuser run \`ALTER ROLE "${role.name.replaceAll('"', '""')}" CREATEDB;\`. Where the host does not give that right: ${IN_PLACE}.`;
    return [
      inTheWay(
        'no-right-to-create',
        `${seen}${role.name} may not create databases`,
        host === undefined ? grant : `Here ${IN_PLACE}.`,
      ),
    ];
  }
  if (host === undefined) return [];
  if (strategy === 'swap') return [inTheWay('no-renaming', `${host}, and it cannot be renamed`, `Here ${IN_PLACE}.`)];
  return [
    {
      code: 'one-database',
      severity: 'warning',
      seen: `${host}: the copy can be read, but is not put to use there`,
      action: `Here ${IN_PLACE}.`,
    },
  ];
}

/** RenameDatabase of the server: owner, CREATEDB, no session and no prepared transaction in the database. */
function assessRenaming(target: TargetFacts): Finding[] {
  const { role, database, lastingSessions, maintenanceDatabase, preparedTransactions } = target;
  const findings: Finding[] = [];
  if (!role.ownsDatabase) {
    const seen = `${role.name} does not own the database ${database.name}, so it may not rename it`;
    findings.push(inTheWay('no-renaming', seen, 'Connect as the owner or as a superuser.'));
  }
  if (maintenanceDatabase === database.name) {
    const seen = `No other database lets ${role.name} in, and a database cannot be renamed from within`;
    findings.push(inTheWay('no-renaming', seen, `Grant the role CONNECT on another database; or: ${IN_PLACE}.`));
  }
  if (lastingSessions.length > 0) {
    findings.push(
      inTheWay(
        'sessions-that-last',
        `${role.name} may not end these sessions in ${database.name}, and a database that is in use cannot be renamed: ${lastingSessions.join(', ')}`,
        `End them where they come from, or as a superuser run \`GRANT pg_signal_backend TO "${role.name.replaceAll('"', '""')}";\` (sessions of superusers end only by a superuser).`,
      ),
    );
  }
  if (preparedTransactions > 0) {
    findings.push(
      inTheWay(
        'prepared-transactions',
        `There ${preparedTransactions === 1 ? 'is' : 'are'} ${countOf(preparedTransactions, 'prepared transaction')} in ${database.name}: it cannot be renamed before they are settled`,
        'Look at pg_prepared_xacts, and COMMIT PREPARED or ROLLBACK PREPARED each.',
      ),
    );
  }
  return findings;
}
