/** The job summary of a finished backup, as Markdown: verdict first. */
import type { BackupResult } from '../command.ts';
import type { Contents, ContentsTable } from '../domain/contents.ts';
import type { Manifest } from '../domain/manifest.ts';
import { countOf, formatBytes, formatCount, formatDuration, listWords } from '../domain/words.ts';
import { describeTrouble } from './failure.ts';
import { Markdown } from './markdown.ts';
import { pruneSections } from './prune-report.ts';
import { checkDetails, checksTable, findingsSection, timingsTable, troubleSection } from './sections.ts';

/** The runner drops a summary of more than 1 MiB as a whole (platform limit); this is what is written at most. */
export const MAX_SUMMARY_BYTES = 1_000_000;
const TABLES_SHOWN = 20;

/** Pure; every word from outside is redacted and escaped. */
export function backupSummary(result: BackupResult, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const { contents } = result;
  return [
    ...verdict(result, md),
    '### What was checked',
    checksTable(contents.checks, md),
    ...checkDetails(contents.checks, md, 'in contents.json'),
    '### What is inside',
    ...inside(result, md),
    '### Where it is',
    whereTable(result, md),
    '### How to restore it',
    'Into a **new** database (it creates it); with a key, name its file in `AGE_IDENTITY_FILE`:',
    md.block(`NEW_DATABASE=restored\n${result.restoreCommand}`, 'sh'),
    `All steps, with roles and checks: ${md.code(result.restoreGuideUri)}`,
    ...(result.pruned === undefined ? [] : ['## Old backups', ...pruneSections(result.pruned, md)]),
    ...findingsSection(result.findings, md),
    '### How long it took',
    timingsTable(result.timings, md),
  ].join('\n\n');
}

/** Cuts at the end of a line, should a summary ever be too long. */
export function fitSummary(markdown: string): string {
  const bytes = Buffer.from(markdown);
  if (bytes.byteLength <= MAX_SUMMARY_BYTES) return markdown;
  const end = bytes.lastIndexOf('\n', MAX_SUMMARY_BYTES - 200);
  return `${bytes.subarray(0, Math.max(0, end)).toString('utf8')}\n\nThe rest was too long for a job summary.\n`;
}

function verdict(result: BackupResult, md: Markdown): string[] {
  const { manifest } = result;
  const what = `${countOf(manifest.totals.tables, 'table')}, ${countOf(manifest.totals.rows, 'row')}, ${formatBytes(manifest.totals.storedBytes)} stored`;
  const words = describeTrouble(result);
  if (words === undefined) {
    return [
      `## ✅ Proven backup of ${md.code(manifest.name)}`,
      `${md.code(manifest.id)}: ${what}, in ${formatDuration(manifest.timings.totalSeconds)}. ${describeEncryption(manifest, md)}`,
    ];
  }
  const [happened, ...more] = troubleSection(words, md);
  return [
    `## ❌ ${manifest.verdict !== 'proven' ? 'Unproven backup' : result.lost.length > 0 ? 'Incomplete backup' : 'Proven backup, failed prune'} of ${md.code(manifest.name)}`,
    `${happened} ${md.code(manifest.id)} is stored all the same, in ${result.copies.map((copy) => md.code(copy)).join(', ')}: ${what}. ${describeEncryption(manifest, md)}`,
    ...more,
  ];
}

function describeEncryption({ encryption }: Manifest, md: Markdown): string {
  if (encryption.method === 'none') return '**Not encrypted.**';
  if (encryption.method === 'age-passphrase') return 'Encrypted with a passphrase.';
  const recipients = encryption.recipients.map((recipient) => md.code(recipient));
  return `Encrypted for ${listWords(recipients, { most: 5 })}.`;
}

function inside({ manifest, contents, provider }: BackupResult, md: Markdown): string[] {
  const where = provider === undefined ? '' : ` on ${md.text(provider)}`;
  const facts = [
    `Database ${md.code(contents.database.name)}, Postgres ${md.text(manifest.server.version)}${where}`,
    `${formatBytes(contents.database.sizeBytes)} on the server, ${formatBytes(manifest.totals.plainBytes)} of plain SQL`,
    `${countOf(contents.sequences.length, 'sequence')}, ${countOf(contents.largeObjects.count, 'large object')}`,
    extensions(contents, md),
    ...(manifest.scope.wholeDatabase
      ? []
      : ['**A part of the database only**, as inputs like `tables` or `exclude-tables` choose']),
    ...(manifest.scope.content === 'all'
      ? []
      : [`**Only ${manifest.scope.content === 'schema' ? 'definitions, no rows' : 'rows, no definitions'}**`]),
  ];
  const largest = contents.tables
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes || b.bytes - a.bytes)
    .slice(0, TABLES_SHOWN);
  if (largest.length === 0) return [facts.map((fact) => `- ${fact}`).join('\n'), 'No table has rows of its own.'];
  const more = contents.tables.length - largest.length;
  return [
    facts.map((fact) => `- ${fact}`).join('\n'),
    md.table(
      ['table', 'rows:', 'on the server:', 'as text:'],
      largest.map((table) => tableRow(table, md)),
    ),
    ...(more > 0 ? [`and ${countOf(more, 'smaller one')}.`] : []),
  ];
}

function tableRow(table: ContentsTable, md: Markdown): string[] {
  const name = md.code(`${table.schema}.${table.name}`);
  return [name, formatCount(table.rows), formatBytes(table.sizeBytes), formatBytes(table.bytes)];
}

function extensions({ extensions: list }: Contents, md: Markdown): string {
  if (list.length === 0) return 'no extensions';
  const named = list.map(({ name, version }) => md.code(`${name} ${version}`));
  return `extensions: ${listWords(named, { most: 30 })}`;
}

function whereTable(result: BackupResult, md: Markdown): string {
  const rows = result.manifest.objects.map((object) => [
    md.code(object.name),
    formatBytes(object.sizeBytes),
    md.code(object.sha256),
    md.text(object.evidence),
  ]);
  const places = [
    ...result.copies.map((copy) => `- ${md.code(copy)}`),
    ...result.lost.map(({ location }) => `- ❌ not in ${md.code(location)}`),
  ];
  return `${places.join('\n')}\n\n${md.table(['object', 'size:', 'SHA-256 of the stored bytes', 'checked by'], rows)}`;
}
