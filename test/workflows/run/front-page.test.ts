/** What a new user does, by the letter of the front page, in a repository that holds nothing yet. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { stockAge } from '../../support/age-cli.ts';
import { describeWith } from '../../support/availability.ts';
import { TOKEN } from '../../support/github-api.ts';
import { fences, readDocument, section } from '../../support/markdown.ts';
import { runTool } from '../../support/run-tool.ts';
import { runWorkflow } from '../../support/workflows/run-workflow.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

const TEMPLATES = fileURLToPath(new URL('../../../.github/workflow-templates', import.meta.url));
const COMMANDS = fences(section(readDocument('README.md'), 'Set it up'), 'sh').join('');

/** They write down what GitHub would keep, and the runs that it would start. */
const STAND_INS = {
  gh: `case "$1 $2" in
  'secret set') : >"$NOTES/secrets/$3" ;;
  'variable set') printf %s "$5" >"$NOTES/variables/$3" ;;
  'workflow run') shift 2 && echo "$*" >>"$NOTES/runs" ;;
  *) exit 1 ;;
esac`,
  // curl -fsSL -o FILE URL
  curl: `cp "$TEMPLATES/\${4##*/}" "$3"`,
};

describeWith(await stockAge(), 'The front page', ({ age, ageKeygen }) => {
  describeWith(inject('workflowRig'), 'in an empty repository', (rig) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'front-page-'));
    const at = (...names: string[]) => path.join(folder, ...names);
    const named = (kind: string) => readdirSync(at('notes', kind));
    let shop: Shop;

    beforeAll(async () => {
      shop = await startShop(rig);
      for (const each of ['home', 'notes/secrets', 'notes/variables', 'programs'])
        await mkdir(at(each), { recursive: true });
      const programs = {
        ...STAND_INS,
        ...(path.isAbsolute(ageKeygen) ? { 'age-keygen': `exec '${ageKeygen}' "$@"` } : {}),
      };
      for (const [name, script] of Object.entries(programs)) {
        await writeFile(at('programs', name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
      }
      execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', at('origin')]);
      execFileSync('git', ['clone', '--quiet', at('origin'), at('clone')], { stdio: 'ignore' });
    });
    afterAll(async () => {
      await shop?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('leads to a workflow, and to a first proven backup that the new key opens', async () => {
      const who = { name: 'octocat', email: 'octocat@example.org' };
      const env = {
        PATH: `${at('programs')}:${process.env.PATH}`,
        HOME: at('home'),
        NOTES: at('notes'),
        TEMPLATES,
        ...{ GIT_AUTHOR_NAME: who.name, GIT_AUTHOR_EMAIL: who.email },
        ...{ GIT_COMMITTER_NAME: who.name, GIT_COMMITTER_EMAIL: who.email },
      };
      execFileSync('bash', ['-euc', COMMANDS], { cwd: at('clone'), env, stdio: 'pipe', timeout: 60_000 });
      const workflow = at('pushed.yml');
      await writeFile(
        workflow,
        execFileSync('git', ['--git-dir', at('origin'), 'show', 'main:.github/workflows/nightly-backup.yml']),
      );
      const secrets = Object.fromEntries(named('secrets').map((name) => [name, shop.secrets[name] ?? '']));
      const written = named('variables').map((name) => [name, readFileSync(at('notes/variables', name), 'utf8')]);
      // The only value that is not the user's own yet.
      const vars = { ...Object.fromEntries(written), BACKUP_STORAGE: shop.vars.BACKUP_STORAGE };
      const dispatch = (inputs: Record<string, string>) =>
        runWorkflow(rig, {
          ...{ workflow, event: 'workflow_dispatch', inputs, vars },
          secrets: { ...secrets, GITHUB_TOKEN: TOKEN },
          env: { GITHUB_API_URL: shop.github.url },
        });
      expect(readFileSync(at('notes/runs'), 'utf8')).toBe('nightly-backup.yml -f dry-run=true\nnightly-backup.yml\n');

      const dry = await dispatch({ 'dry-run': 'true' });
      expect(dry.exitCode, dry.text).toBe(0);
      expect(await shop.bucket.keys()).toEqual([]);

      const first = await dispatch({});
      expect(first.exitCode, first.text).toBe(0);
      expect(await shop.manifests()).toMatchObject([{ verdict: 'proven', label: 'manual' }]);
      const contents = shop.fileOf(`${first.outputs['backup.0']?.['backup-id']}/contents.json.age`);
      const opened = await runTool(age, ['--decrypt', '--identity', at('home/backup-key.txt'), contents]);
      expect(opened).toContain('"customers"');
    });
  });
});
