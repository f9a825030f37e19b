/** Checks on everything that is not a table's rows. */
import type { ArchiveReport } from '../archive-report.ts';
import type { Check } from '../checks.ts';
import type { CatalogFacts, ExtensionFacts } from '../facts.ts';
import { displayName, relationKey } from '../relations.ts';
import { isWholeDatabase, type Scope } from '../scope.ts';
import { countOf, formatCount, shareOf } from '../words.ts';
import { conclude } from './conclude.ts';

/** As many large objects as the snapshot has, or none where the scope leaves them out. */
export function checkLargeObjects(facts: CatalogFacts, archive: ArchiveReport): Check {
  const expected = facts.largeObjectsSelected ? facts.largeObjects : 0;
  const differences =
    archive.largeObjects.count === expected
      ? []
      : [
          `${countOf(expected, 'large object')} in the snapshot, ${formatCount(archive.largeObjects.count)} in the archive`,
        ];
  return conclude('large-objects', differences, {
    passed: facts.largeObjectsSelected
      ? `${shareOf(expected, expected, 'large object is', 'large objects are')} in the archive`
      : 'The scope leaves large objects out, and the archive holds none',
    failed: () => 'The number of large objects differs between the snapshot and the archive',
  });
}

/**
 * Views, materialized views and extensions of the snapshot are defined by the archive, and no definition changed
 * while pg_dump read it: what it prints comes from the newest catalog and not from the snapshot.
 */
export function checkObjects(
  facts: CatalogFacts,
  archive: ArchiveReport,
  scope: Scope,
  changed: readonly string[] | Error,
): Check {
  if (scope.content === 'data') {
    return conclude('objects', [], {
      passed: 'The scope holds rows alone; no definitions to compare',
      failed: () => '',
    });
  }
  const extensions = isWholeDatabase(scope) ? facts.extensions.filter(({ name }) => name !== BUILT_IN) : [];
  const missing = [...missingRelations(facts, archive), ...missingExtensions(extensions, archive)];
  if (missing.length === 0 && changed instanceof Error) {
    return partial('It is not known whether definitions changed while pg_dump read them', [changed.message]);
  }
  if (missing.length === 0 && !(changed instanceof Error) && changed.length > 0) {
    return partial(
      `${countOf(changed.length, 'definition')} changed while pg_dump was reading, so the archive may hold something broken or too new`,
      changed.map((label) => `${label}: changed or was dropped after the snapshot`),
    );
  }
  const views = facts.relations.length;
  return conclude('objects', missing, {
    passed: `${shareOf(views, views, 'view')} and ${shareOf(extensions.length, extensions.length, 'extension')} are defined; ${countOf(archive.objects.length, 'object has', 'objects have')} a definition digest, and none changed during the dump`,
    failed: (count) =>
      `${countOf(count, 'view or extension', 'views or extensions')} of the snapshot ${count === 1 ? 'is' : 'are'} missing from the archive`,
  });
}

/** plpgsql is part of every new database; pg_dump leaves it out. */
const BUILT_IN = 'plpgsql';

function partial(reason: string, details: string[]): Check {
  return { id: 'objects', status: 'partial', reason, details };
}

function missingRelations(facts: CatalogFacts, archive: ArchiveReport): string[] {
  const defined = new Map(archive.relations.map((relation) => [relationKey(relation), relation.kind]));
  return facts.relations
    .filter((relation) => defined.get(relationKey(relation)) !== relation.kind)
    .map((relation) => `${displayName(relation)}: the ${relation.kind.replace('-', ' ')} is missing from the archive`);
}

function missingExtensions(extensions: readonly ExtensionFacts[], archive: ArchiveReport): string[] {
  const created = new Set(archive.extensions);
  return extensions
    .filter((extension) => !created.has(extension.name))
    .map((extension) => `extension ${extension.name}: is missing from the archive`);
}
