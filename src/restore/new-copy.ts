/** A new database for a backup, beside all others: made, filled, proven and opened, or gone again. */
import { messageOf } from '../domain/errors.ts';
import type { CreationPlan } from '../domain/strategy.ts';
import { createDatabase, dropDatabase, finishDatabase } from '../postgres/databases.ts';
import { type BringBackParts, bringRoles, type ProvenCopy, proveCopy, runInto } from './bring-back.ts';
import type { FetchedArchive } from './fetched.ts';
import { inLastSession } from './last-session.ts';

/**
 * A new database with the backup in it, read through, for `use`, whose result is handed back. When a part throws, `use`
 * included, the database is undone.
 * @param undo must not reject; drops the database unless something else is said
 */
export async function withNewCopy<T>(
  parts: BringBackParts,
  fetched: FetchedArchive,
  use: (copy: ProvenCopy) => Promise<T>,
  undo: (parts: BringBackParts, database: string) => Promise<void> = dropCopy,
): Promise<T> {
  const { context, settled } = parts;
  const { create, database } = settled.strategy;
  if (create === undefined) throw new Error('there is nothing to create');
  const aboutRoles = await bringRoles(parts);
  context.tell({ stage: 'restoring' });
  await makeDatabase(parts, create);
  try {
    const run = await context.log.group('Restore', () => runInto(parts, fetched));
    return await use(await context.log.group('Proof', () => proveCopy(parts, fetched, run, aboutRoles)));
  } catch (error) {
    await undo(parts, database);
    throw error;
  }
}

/** Nobody but its owner and superusers can enter it until it is finished. */
async function makeDatabase({ access, facts, context, timeline }: BringBackParts, create: CreationPlan): Promise<void> {
  const { maintenanceDatabase } = facts;
  await access.use('create', maintenanceDatabase, ({ client }) => createDatabase(client, create));
  context.tell({ newDatabase: create.name, leftOverDatabase: create.name });
  timeline.note(`The database ${create.name} was created`);
}

/** Never rejects: what is left is told, and dropped by the next restore. */
async function dropCopy({ access, facts, context, timeline }: BringBackParts, name: string): Promise<void> {
  try {
    // The run may be cancelled by now.
    await inLastSession(access.connection(facts.maintenanceDatabase), context, (client) => dropDatabase(client, name));
    context.tell({ leftOverDatabase: '' });
    timeline.note(`The unfinished database ${name} was dropped`);
  } catch (error) {
    context.log.debug(`${name} was not dropped: ${messageOf(error)}`);
  }
}

/** Lets those in who may usually connect. */
export async function openToEverybody({ access, facts, found, context, timeline }: BringBackParts, name: string) {
  const { maintenanceDatabase } = facts;
  await access.use('finish', maintenanceDatabase, ({ client }) => finishDatabase(client, name, found.source.id));
  context.tell({ leftOverDatabase: '' });
  timeline.note(`The database ${name} is open to those who may connect`);
}
