/** The check of `globals.sql`. */
import type { Check } from '../checks.ts';
import { countOf, shareOf } from '../words.ts';
import { conclude } from './conclude.ts';

/** Every role of the snapshot is created by `globals.sql`. An `Error` says why there is none. */
export function checkGlobals(roles: readonly string[], globals: string | Error): Check {
  if (globals instanceof Error) {
    return { id: 'globals', status: 'not-run', reason: 'The roles could not be dumped', details: [globals.message] };
  }
  const created = new Set(createdRoles(globals));
  const missing = roles.filter((role) => !created.has(role)).map((role) => `role ${role}: is missing from globals.sql`);
  return conclude('globals', missing, {
    passed: `${shareOf(roles.length, roles.length, 'role is', 'roles are')} in globals.sql, without passwords`,
    failed: (count) => `${countOf(count, 'role is', 'roles are')} missing from globals.sql`,
  });
}

/** pg_dumpall writes one `CREATE ROLE name;` a line, quoted where the name needs it. */
function createdRoles(sql: string): string[] {
  return [...sql.matchAll(/^CREATE ROLE (?:"((?:[^"]|"")*)"|([^\s";]+));$/gm)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
