/** A run as a user who owns nothing but its own folders and may not become anybody else. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { programAvailable } from './availability.ts';

export const NOBODY = 65534;
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs'];
const DIST = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const LOOK = `require('fs').accessSync(${JSON.stringify(DIST)})`;

export const anotherUser = programAvailable(
  'setpriv',
  [...AS_NOBODY, process.execPath, '-e', LOOK],
  'being another user takes root, util-linux, and a checkout that all may read',
);

/** For `through`: gives the runner's folders and `folder` to that user for good. Not `sh`, which drops inputs. */
export function asNobody(folder: string): [program: string, ...string[]] {
  const owned = `chown -R ${NOBODY}:${NOBODY} "$0" "$(dirname "$RUNNER_TEMP")"`;
  return ['bash', '-c', `${owned} && exec setpriv ${AS_NOBODY.join(' ')} "$@"`, path.resolve(folder)];
}
