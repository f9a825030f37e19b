/** How to bring a backup back, in the words of docs/restore.md. */
import { shellQuote } from '../../domain/restore-guide/step.ts';
import { OBJECT_NAMES } from '../../domain/set-layout.ts';
import type { BackupPoint, SeriesStatus } from '../../domain/status/model.ts';
import { minuteOf } from '../../domain/time.ts';
import { uriOf } from '../status-words.ts';
import { type Html, type Markup, NOTHING } from './markup.ts';

/** What holds for every restore. */
export function restoreSection(markup: Markup): Html {
  return markup.html`<section aria-labelledby="restore"><h2 id="restore">How to bring one back</h2>
<div class="card">
<ol>
<li><strong>Write down the time</strong> up to which the data was right, in UTC.</li>
<li><strong>Stop what still destroys</strong>: the job, the migration, the application. Revoke a stolen password.</li>
<li><strong>Drop nothing.</strong> Not the broken database, not a table of it: it holds what was written since the backup.</li>
<li>Run your restore workflow, a <strong>dry run first</strong>: it prints the whole plan and touches nothing. What to type stands above, with each name.
When in doubt take <code>strategy: new-database</code>, which changes nothing that is there.</li>
</ol>
<p>Besides <code>latest-proven</code> and an id, <code>backup</code> takes <code>before:2026-11-21T09:30Z</code> (the newest proven one that is not later) and
<code>latest-restored</code> (the newest that a drill has brought back). Without GitHub, every backup has a <code>RESTORE.md</code> with the commands for itself, for
stock tools alone. All else is on the page <em>At 3 a.m.</em> (<code>docs/restore.md</code>) of db-backup-action.</p>
</div></section>
`;
}

/** What to type for the newest proven backup of one series; nothing when there is none. */
export function restoreCommands({ name, newestProven }: SeriesStatus, markup: Markup): Html {
  if (newestProven === undefined) return NOTHING;
  return markup.html`<h3>Bring ${name} back</h3>
<p>With GitHub: <em>Actions → Restore → Run workflow</em>, with <code>backup</code> <code>${newestProven.id}</code> (taken ${minuteOf(newestProven.at)} UTC), <em>dry run</em> ticked. Or type:</p>
${markup.block([
  'gh workflow run restore.yml \\',
  `  --field backup=${newestProven.id} \\`,
  '  --field strategy=new-database \\',
  '  --field dry-run=true \\',
  "  --field reason='why'",
])}
${withoutGitHub(name, newestProven, markup)}`;
}

function withoutGitHub(name: string, backup: BackupPoint, markup: Markup): Html {
  const [location] = backup.locations;
  if (location === undefined) return NOTHING;
  const guide = `${uriOf(name, backup)}/${OBJECT_NAMES['restore-guide']}`;
  if (!location.startsWith('s3://')) {
    return markup.html`<p>Without GitHub, with stock tools alone: the commands are in <code>${guide}</code>.</p>`;
  }
  return markup.html`<p>Without GitHub, with stock tools alone (<code>--endpoint-url</code> too, where the bucket is not Amazon's); the file has the rest:</p>
${markup.block([`aws s3 cp ${shellQuote(markup.redacted(guide))} .`])}`;
}
