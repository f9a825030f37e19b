/**
 * A tiny process at the other end of a pipe. When this process ends, even by SIGKILL, the pipe closes, and the guard
 * ends the server and removes its folders.
 */
import { type RunningProcess, startProcess } from '../../runner/process.ts';
import { dataFolder, type ServerFolders } from './home.ts';

/**
 * $1 data folder, $2 and $3 folders to remove. The process of postmaster.pid counts as the server only when its command
 * line names the data folder. What initdb is just writing appears anew, so the end is that nothing does any more.
 */
const SCRIPT = `read -r _
pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null)
command=$({ tr '\\0' ' ' <"/proc/$pid/cmdline" || ps -ww -o command= -p "$pid"; } 2>/dev/null)
case "$command" in *"$1"*)
  kill -QUIT "$pid"
  i=0; while kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done
  kill -KILL "$pid" 2>/dev/null
esac
i=0; while [ $i -lt 30 ]; do
  rm -rf "$2" "$3" 2>/dev/null
  sleep 0.3
  [ -e "$2" ] || [ -e "$3" ] || exit 0
  i=$((i+1))
done`;

/** Its own session keeps Ctrl-C away from it. Ends when its standard input does. */
export function startGuard(folders: ServerFolders): RunningProcess {
  const guard = startProcess('/bin/sh', ['-c', SCRIPT, 'guard', dataFolder(folders), folders.home, folders.socket], {
    env: { PATH: '/usr/bin:/bin' },
    // Nothing but the end of this process ends it.
    signal: new AbortController().signal,
    stdin: 'pipe',
    cwd: '/',
    detached: true,
  });
  guard.stdin?.on('error', () => undefined);
  return guard;
}
