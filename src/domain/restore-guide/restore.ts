/** Steps of RESTORE.md that restore and look at what came back. */

import { extensionCares } from '../preflight/extensions.ts';
import { OBJECT_NAMES } from '../set-layout.ts';
import type { RestoreGuideInput } from './input.ts';
import type { GuideStep } from './step.ts';

export function restoreSteps(input: RestoreGuideInput): GuideStep[] {
  const archive = `"$BACKUP_DIR/${OBJECT_NAMES.archive}"`;
  if (input.scope.content === 'data') {
    return [
      {
        title: 'Restore the rows',
        words: `This backup holds rows without definitions: the database must have its tables already, empty. Triggers and foreign
keys are switched off meanwhile, which only a superuser may.`,
        commands: [
          `pg_restore --no-password --data-only --disable-triggers --exit-on-error --dbname "$target" ${archive}`,
        ],
      },
    ];
  }
  return [
    {
      title: 'Restore',
      words: `Only into an empty database: where there is a table already, nothing is done. All that can be restored is restored, and every error is printed. It ends with an error if there was one: read each of
them before you go on. \`RESTORE_JOBS\` says how many connections work at once (4 unless set).`,
      commands: [
        `tables=$(psql --no-psqlrc --tuples-only --no-align --dbname "$target" --command "SELECT count(*) FROM pg_class c`,
        `  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v')`,
        `  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'") &&`,
        `  { [ "$tables" = 0 ] || { echo "$TARGET_DATABASE is not empty; nothing was restored" >&2; false; }; } &&`,
        `  pg_restore --no-password --jobs "\${RESTORE_JOBS:-4}" --dbname "$target" ${archive}`,
      ],
      notes: [variants(), databaseSettings(), extensions()],
    },
  ];
}

function variants(): string {
  return `When it complains, these options help; drop the database and create it again before a second try:

- roles do not exist, or you are no superuser: \`--no-owner\` (all belongs to you), \`--role=NAME\` (all belongs to that role)
- rights were granted to roles that do not exist here: \`--no-privileges\`
- tablespaces do not exist here: \`--no-tablespaces\`
- only one table: \`--table=NAME --schema=NAME\`, or a list made by \`--list\`, edited, and given back with \`--use-list\``;
}

/** Measured: they are in every archive, but pg_restore applies them only together with --create. */
function databaseSettings(): string {
  return `Settings, rights and the comment of the database itself are in the archive but not restored into a database of another
name. This prints them, to be repeated by hand with the new name:

\`\`\`text
pg_restore --create --schema-only --file - "$BACKUP_DIR/${OBJECT_NAMES.archive}" | grep -E '^(ALTER|COMMENT ON|GRANT|REVOKE).* DATABASE '
\`\`\``;
}

function extensions(): string {
  return `Some extensions want more than pg_restore. Which ones the database had: \`jq -r '.extensions[].name' "$BACKUP_DIR/${OBJECT_NAMES.contents}"\`

${extensionCares()}`;
}

export function checkSteps(input: RestoreGuideInput): GuideStep[] {
  return [
    ...(input.scope.content === 'schema' ? [] : [compareRows()]),
    {
      title: 'Let the planner know',
      words: 'Without statistics queries are slow at first.',
      commands: [`psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$target" --command 'ANALYZE'`],
    },
  ];
}

/**
 * `contents.json` says how many rows each table must have, so no name and no number stands here. Counts what was
 * dumped: a table without its inheritance children, of an extension's table only the rows that meet its condition.
 */
function compareRows(): GuideStep {
  const contents = `"$BACKUP_DIR/${OBJECT_NAMES.contents}"`;
  return {
    title: 'Check what came back',
    words: `Counts the rows of every table and compares them with \`contents.json\`. Tables that differ are printed, and it ends
with an error if there is one.`,
    commands: [
      `if differences=$(set -o pipefail; jq -r '`,
      String.raw`  def ident: "\"" + gsub("\""; "\"\"") + "\"";`,
      String.raw`  def text: "\u0027" + gsub("\u0027"; "\u0027\u0027") + "\u0027";`,
      '  "SET standard_conforming_strings = on; SET row_security = off;",',
      '  (.tables[] | (.extensionCondition // "") as $where |',
      String.raw`    "SELECT \("\(.schema).\(.name): " | text) || count(*) || \u0027 rows instead of \(.rows)\u0027"`,
      String.raw`    + " FROM \(if $where == "" then "ONLY " else "" end)\(.schema | ident).\(.name | ident) \($where)"`,
      String.raw`    + " HAVING count(*) <> \(.rows);")`,
      `' ${contents} | psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$target") &&
  [ -z "$differences" ]; then`,
      `  echo "All row counts are as they were: $(jq '.tables | length' ${contents}) tables"`,
      `else printf '%s\\n' "$differences" >&2; false; fi`,
    ],
    notes: [
      `The largest tables of the backup: \`jq -r '.tables | sort_by(-.bytes)[:20][] | [.schema, .name, .rows, .bytes] | @tsv'
contents.json\`. Sequences, extensions, large objects and the digest of every table's content stand there too; how to compare
them is said in the format's description (docs/format.md of db-backup-action).`,
    ],
  };
}
