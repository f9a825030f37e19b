/** A run and its children, as the rest of the machine could see them. */
import { expect } from 'vitest';
import type { Scenario, ScenarioRun, ScenarioRunOptions } from './backup-scenario.ts';
import { formsOf } from './expect-run.ts';
import { type SeenProcess, watchDescendants } from './process-watch.ts';

export const DUMP_TOOLS = [/pg_dump .*--format=custom/, /pg_restore/, /pg_dumpall/];

export async function runWatched(
  scenario: Scenario,
  options: ScenarioRunOptions,
): Promise<{ run: ScenarioRun; children: SeenProcess[] }> {
  let watch: ReturnType<typeof watchDescendants> | undefined;
  const run = await scenario.run({
    ...options,
    onStart: (action) => {
      watch = watchDescendants(action.pid);
    },
  });
  return { run, children: watch?.stop() ?? [] };
}

/** No secret in argv or environment of any child; each of `tools` was among those that were seen. */
export function expectNothingSeen(
  children: readonly SeenProcess[],
  secrets: readonly string[],
  tools: readonly RegExp[],
): void {
  for (const tool of tools) {
    expect(
      children.some(({ commandLine }) => tool.test(commandLine)),
      `a child ${tool} was seen`,
    ).toBe(true);
  }
  for (const { commandLine, environment } of children) {
    for (const secret of secrets.flatMap(formsOf)) {
      expect(commandLine.includes(secret), `argv of ${commandLine}`).toBe(false);
      const telling = environment.filter((variable) => variable.includes(secret));
      expect(telling, `environment of ${commandLine}`).toEqual([]);
    }
    const inherited = environment.filter((variable) => /^(INPUT|AWS)_|TOKEN|SECRET|^PGPASSWORD=/.test(variable));
    expect(inherited, `environment of ${commandLine}`).toEqual([]);
  }
}
