/** Sample databases that many tests share. Each is deterministic: the same rows wherever and whenever it is loaded. */
import { readFile } from 'node:fs/promises';
import type { PostgresServer } from '../postgres-server.ts';

export { loadBigRow, loadBulk, loadManyTables } from './generated.ts';

/**
 * `shapes`: one of everything that pg_dump knows, with what the server's major adds. Needs a superuser, makes the
 * roles shapes_owner and shapes_reader. `awkward`: names and texts made to fool a reader. `shop`: the demo's shop.
 */
export type Fixture = 'shapes' | 'awkward' | 'shop';

/** Additions to a fixture, and the major from which on they load. */
const ADDITIONS: Record<Fixture, number[]> = { shapes: [14, 15, 18], awkward: [], shop: [] };

/** Creates the database and fills it. */
export async function loadDatabase(server: PostgresServer, database: string, fixture: Fixture): Promise<void> {
  await server.createDatabase(database);
  const additions = ADDITIONS[fixture].filter((major) => major <= server.major).map((major) => `${fixture}-${major}`);
  for (const name of [fixture, ...additions]) {
    await server.query(await readFile(new URL(`./${name}.sql`, import.meta.url), 'utf8'), database);
  }
}
