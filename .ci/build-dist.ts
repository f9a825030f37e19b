/**
 * Builds what a runner executes: the action, with a door of its own for the post step, and each of its threads as a
 * bundle of its own, because a thread loads all of its script. `node .ci/build-dist.ts [FOLDER]`; the folder is
 * emptied first.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NCC = path.join(ROOT, 'node_modules/@vercel/ncc/dist/ncc/cli.js');
const BUNDLES = [
  { entry: 'src/index.ts', folder: '.', foreign: true },
  { entry: 'src/postgres/archive-proof-worker.ts', folder: 'proof', foreign: false },
  { entry: 'src/postgres/client-cache-worker.ts', folder: 'cache', foreign: true },
];

const out = path.resolve(ROOT, process.argv[2] ?? 'dist');
rmSync(out, { recursive: true, force: true });
for (const { entry, folder, foreign } of BUNDLES) {
  const licenses = foreign ? ['--license', 'licenses.txt'] : [];
  const args = [NCC, 'build', entry, '--out', path.join(out, folder), '--no-cache', ...licenses];
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
}
writeFileSync(path.join(out, 'post.js'), "import './index.js';\n");
