/** Brings client tools with apt; see {@link installPackages}. */
import path from 'node:path';
import type { Finding } from '../domain/findings.ts';
import { type InstallContext, installPackages } from './apt-install.ts';
import { type ClientTools, inspectFolder } from './client-folder.ts';

export type ClientInstallOutcome =
  | { tools: ClientTools; from: 'pgdg' | 'own-sources'; findings: Finding[] }
  | {
      /** apt was there, and still it did not come to be. */
      attempted: boolean;
      reasons: string[];
      /** The newest major that the sources have, where the repository answered and has not the one that is wanted. */
      newest?: number;
    };

/** Where the tools of an installation lie: `bin`, and `lib` beside it. */
export function installedFolder(workDir: string): string {
  return path.join(workDir, 'client-tools');
}

/** Throws `ERR_CLIENT_INSTALL`, and the signal's reason, when `installPackages` throws. */
export async function installClient(major: number, context: InstallContext): Promise<ClientInstallOutcome> {
  const target = installedFolder(context.workDir);
  const outcome = await installPackages<ClientTools>(
    {
      major,
      name: `pg_dump ${major}`,
      packages: [`postgresql-client-${major}`, 'libpq5'],
      taken: [{ from: `usr/lib/postgresql/${major}/bin`, to: 'bin' }],
      target,
      libraries: 'lib',
      inspect: async () => {
        const inspection = await inspectFolder(major, path.join(target, 'bin'), 'fetched', context);
        return 'tools' in inspection ? { found: inspection.tools } : inspection;
      },
      untrusted: { code: 'ERR_CLIENT_INSTALL', op: 'fetch client tools' },
    },
    context,
  );
  if ('reasons' in outcome) return outcome;
  const { found: tools, from } = outcome;
  return { tools, from, findings: from === 'pgdg' ? [] : [otherSource(tools, outcome.missed)] };
}

function otherSource({ version, major }: ClientTools, missed: string): Finding {
  return {
    code: 'client-from-own-sources',
    severity: 'warning',
    seen: `pg_dump ${version} comes from the machine's own apt sources, whose minor release may be older, because the PostgreSQL repository did not serve it: ${missed}`,
    action: `Let the runner reach that address, name a mirror in \`postgres-apt-mirror\`, or have postgresql-client-${major} on the runner.`,
  };
}
