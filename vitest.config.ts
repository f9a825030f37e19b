import { defineConfig } from 'vitest/config';

/** What a real runner executes; needs a container engine, which its global setup starts and stops. */
const WORKFLOWS = 'test/workflows/run/**/*.test.ts';

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 180_000,
    allowOnly: false,
    reporters: [
      'default',
      ...(process.env.GITHUB_ACTIONS === 'true' ? ['github-actions' as const] : []),
      ['./test/support/reporter.ts', { totalsFile: process.env.TEST_TOTALS_FILE }],
    ],
    projects: [
      {
        extends: true,
        test: {
          name: 'action',
          include: ['test/**/*.test.ts'],
          exclude: [WORKFLOWS, 'node_modules/**'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'workflows',
          include: [WORKFLOWS],
          globalSetup: ['test/support/workflows/rig.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // One at a time: services of two jobs would want the same port.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
