/** `lifecycle`: rules of the buckets themselves, read and held against the policy, or proposed. Changes none. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { lifecycleFindings, proposeLifecycle } from '../domain/retention/lifecycle.ts';
import type { RetentionPolicy } from '../domain/retention/policy.ts';
import type { LifecycleLook, LifecycleProposal } from '../domain/retention/result.ts';
import { seriesPrefix } from '../domain/set-layout.ts';
import { countOf, goingOn } from '../domain/words.ts';
import type { PruneInputs } from '../inputs/types.ts';

interface LookParts {
  lifecycle: PruneInputs['lifecycle'];
  policy: RetentionPolicy;
  series: string;
  targets: readonly Target[];
  context: CommandContext;
}

/** `undefined` when nothing was asked. What cannot be read is a finding; rejects when the run ends. */
export async function lookAtLifecycle(parts: LookParts): Promise<LifecycleLook | undefined> {
  const { lifecycle, targets, context } = parts;
  if (lifecycle === 'off') return undefined;
  return await context.log.group('Rules of the buckets', async () => {
    const looked = await Promise.all(
      targets.map((target) => (lifecycle === 'check' ? check(target, parts) : propose(target, parts))),
    );
    context.signal.throwIfAborted();
    return {
      proposals: looked.flatMap(({ proposals }) => proposals),
      findings: looked.flatMap(({ findings }) => findings),
    };
  });
}

async function check({ storage, destination }: Target, { policy, series, context }: LookParts): Promise<LifecycleLook> {
  try {
    const rules = await storage.lifecycle();
    if (rules === undefined || destination.kind === 'directory') return withoutRules(storage.location);
    const findings = lifecycleFindings(rules, rootOf(destination) + seriesPrefix(series), policy, storage.location);
    const wrong = findings.filter(({ severity }) => severity !== 'notice').length;
    context.log.info(`${storage.location}: ${countOf(rules.length, 'rule')}, ${wrong} of them against the policy`);
    return { proposals: [], findings };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    return { proposals: [], findings: [notChecked(storage.location, error)] };
  }
}

async function propose(
  { storage, destination }: Target,
  { policy, series, context }: LookParts,
): Promise<LifecycleLook> {
  if (destination.kind === 'directory') return withoutRules(storage.location);
  const { bucket, endpoint } = destination;
  const versions = (await storage.keepsVersions().catch(() => undefined)) === true;
  const root = rootOf(destination);
  const place = { root, folder: root + seriesPrefix(series), amazon: endpoint === undefined, versions };
  const configuration = JSON.stringify(proposeLifecycle(policy, place), null, 2);
  const server = endpoint === undefined ? '' : ` --endpoint-url ${endpoint}`;
  const command = `aws s3api put-bucket-lifecycle-configuration --bucket ${bucket}${server} --lifecycle-configuration file://lifecycle.json`;
  const proposal: LifecycleProposal = { location: storage.location, configuration, command };
  context.log.info(`For ${storage.location}:\n${configuration}\n${command}`);
  return { proposals: [proposal], findings: [] };
}

function rootOf({ prefix }: { prefix: string }): string {
  return prefix === '' ? '' : `${prefix}/`;
}

/** Silence would look like rules that were looked at. */
function withoutRules(location: string): LifecycleLook {
  const finding: Finding = {
    code: 'lifecycle-directory',
    severity: 'notice',
    seen: `${location} is a directory, which has no lifecycle rules: \`lifecycle\` does nothing there`,
    action:
      'Nothing: there `command: prune` itself does their work. It deletes what the policy lets go, and clears away sets that broke off. Without a bucket in `storage`, leave `lifecycle` out.',
  };
  return { proposals: [], findings: [finding] };
}

/** What was asked for and could not be looked at has not passed. */
function notChecked(location: string, error: BackupError): Finding {
  return {
    code: 'lifecycle-not-checked',
    severity: 'error',
    seen: `The rules by which the bucket of ${location} itself deletes objects could not be read: ${goingOn(error.message)}`,
    action: `${error.hint} Where the provider has no such rules, leave \`lifecycle\` out.`,
  };
}
