/** What a restore in place removes first, as the target is now. Reads only. */
import { chooseDrops, type DropInput, type DropPlan, planDrops } from '../domain/drop-plan.ts';
import type { TargetFacts } from '../domain/target.ts';
import { readDependents, readDropFacts } from '../postgres/drop-facts.ts';
import type { TargetAccess } from './access.ts';

/** The plan to be shown, and to be given to the transaction that restores; its errors mean that nothing must be touched. */
export async function readDropPlan(access: TargetAccess, facts: TargetFacts, input: DropInput): Promise<DropPlan> {
  return await access.use('drop plan', facts.database.name, async ({ client }) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // Types in signatures are written with their schemas then, as pg_dump writes them.
    await client.query("SET LOCAL search_path TO ''");
    const found = await readDropFacts(client);
    const choice = chooseDrops(found, input);
    const { dependents, count } = await readDependents(client, choice);
    await client.query('COMMIT');
    return planDrops(found, input, choice, dependents, count);
  });
}
