/**
 * A vitest reporter for the end of a run: every test that was left out by name with its reason, then the line
 * `N passed, N failed, N skipped`. Nothing is left out silently: a test that was skipped without a reason in its
 * title (see availability.ts) counts as failed, unless a name pattern was given on the command line.
 */
import { writeFileSync, writeSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

const STANDARD_OUTPUT = 1;
/** The convention of availability.ts: `name (skipped: reason)`. */
const SKIPPED_FOR = /\(skipped: .+\)$/s;

export interface Totals {
  passed: number;
  /** Failed tests, suites and files that could not be set up or torn down, errors that no test caught. */
  failed: number;
  skipped: number;
}

export interface ReporterOptions {
  /** Where to leave the totals as JSON for a script that must not parse the log; absent or empty: nowhere. */
  totalsFile?: string | undefined;
}

export default class NamedSkipsReporter implements Reporter {
  readonly #totalsFile: string | undefined;
  #vitest: Vitest | undefined;

  constructor(options: ReporterOptions = {}) {
    this.#totalsFile = options.totalsFile;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const filtered = this.#vitest?.config.testNamePattern !== undefined;
    const { totals, lines } = summarize(modules, unhandledErrors.length, filtered);
    if (totals.failed > 0) process.exitCode = 1;
    if (this.#totalsFile) writeFileSync(this.#totalsFile, `${JSON.stringify(totals)}\n`);
    // After the default reporter's summary, which is written in the same turn: last on the screen means last in effect.
    setImmediate(() => writeSync(STANDARD_OUTPUT, `${lines.join('\n')}\n`));
  }
}

function summarize(modules: readonly TestModule[], unhandledErrors: number, filtered: boolean) {
  const totals: Totals = { passed: 0, failed: unhandledErrors, skipped: 0 };
  const named: string[] = [];
  const unexplained: string[] = [];
  for (const module of modules) {
    totals.failed += [module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0).length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      const name = `  ${module.relativeModuleId} > ${test.fullName}`;
      if (state === 'passed') totals.passed += 1;
      else if (state !== 'skipped') totals.failed += 1;
      else if (filtered) totals.skipped += 1;
      else if (SKIPPED_FOR.test(test.name)) {
        totals.skipped += 1;
        named.push(name);
      } else if (setUpFailed(test)) {
        totals.failed += 1;
      } else {
        totals.failed += 1;
        unexplained.push(name);
      }
    }
  }
  const lines = [
    ...section('Skipped, with the reason:', named),
    ...section('Skipped without a reason, which counts as failed:', unexplained),
    `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`,
  ];
  return { totals, lines };
}

/** Vitest calls tests skipped that never ran because a suite around them failed; the failure is theirs too. */
function setUpFailed(test: TestCase): boolean {
  for (let around: TestSuite | TestModule = test.parent; ; around = around.parent) {
    if (around.errors().length > 0) return true;
    if (around.type === 'module') return false;
  }
}

function section(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : ['', title, ...names, ''];
}
