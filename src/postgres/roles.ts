/** Creates roles on a target. */
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { RoleStatements } from '../domain/globals.ts';

/**
 * Creates all roles and memberships of `roleStatements` in one transaction, or none. They are as recorded, but without
 * passwords: nobody can log in by password before one is set. Throws `ERR_RESTORE_FAILED`.
 */
export async function createRoles(client: pg.Client, statements: RoleStatements): Promise<void> {
  let running = 'BEGIN';
  try {
    await client.query(running);
    for (running of [...statements.create, ...statements.memberships]) await client.query(running);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new BackupError('ERR_RESTORE_FAILED', `A role cannot be created: ${messageOf(error)} (${running})`, {
      op: 'create roles',
      hint: 'No role was created and nothing else was touched. Create the roles by hand, or restore with `owner: drop` and `privileges: drop`.',
      cause: error,
    });
  }
}
