/** Checks on everything that is not a table's rows. */
import type { ArchiveReport } from '../archive-report.ts';
import type { Check } from '../checks.ts';
import type { CatalogFacts } from '../facts.ts';
import { displayName, relationKey } from '../relations.ts';
import { isWholeDatabase, type Scope } from '../scope.ts';
import { conclude } from './conclude.ts';

/** As many large objects as the snapshot has, or none where the scope leaves them out. */
export function checkLargeObjects(facts: CatalogFacts, archive: ArchiveReport): Check {
  const expected = facts.largeObjectsSelected ? facts.largeObjects : 0;
  const differences =
    archive.largeObjects.count === expected
      ? []
      : [`${expected} large objects in the snapshot, ${archive.largeObjects.count} in the archive`];
  return conclude('large-objects', differences, {
    passed: facts.largeObjectsSelected
      ? `${expected} of ${expected} large objects are in the archive`
      : 'The scope leaves large objects out, and the archive holds none',
    failed: () => 'The number of large objects differs between the snapshot and the archive',
  });
}

/** Views, materialized views and extensions of the snapshot are defined by the archive. */
export function checkObjects(facts: CatalogFacts, archive: ArchiveReport, scope: Scope): Check {
  if (scope.content === 'data') {
    return conclude('objects', [], {
      passed: 'The scope holds rows alone; no definitions to compare',
      failed: () => '',
    });
  }
  const defined = new Map(archive.relations.map((relation) => [relationKey(relation), relation.kind]));
  const relations = facts.relations
    .filter((relation) => defined.get(relationKey(relation)) !== relation.kind)
    .map((relation) => `${displayName(relation)}: the ${relation.kind.replace('-', ' ')} is missing from the archive`);
  const created = new Set(archive.extensions);
  // plpgsql is part of every new database; pg_dump leaves it out.
  const extensions = !isWholeDatabase(scope)
    ? []
    : facts.extensions
        .filter((extension) => extension.name !== 'plpgsql' && !created.has(extension.name))
        .map((extension) => `extension ${extension.name}: is missing from the archive`);
  return conclude('objects', [...relations, ...extensions], {
    passed: `${facts.relations.length} of ${facts.relations.length} views and ${isWholeDatabase(scope) ? facts.extensions.length : 0} extensions are defined; ${archive.objects.length} objects have a definition digest`,
    failed: (count) => `${count} views or extensions of the snapshot are missing from the archive`,
  });
}
