/**
 * Rules by which a bucket itself deletes, freezes or moves objects, held against a retention policy: they know nothing of
 * what is proven. Decided here, from the rules as they were read; nothing is asked or changed.
 */
import type { Finding } from '../findings.ts';
import { countOf } from '../words.ts';
import { type KeepRules, type RetentionPolicy, SLOT_KINDS, type SlotKind } from './policy.ts';

/** One rule of a bucket, as far as it concerns backups. */
export interface LifecycleRule {
  /** As its owner named it; may be empty. */
  id: string;
  enabled: boolean;
  /** Of the keys that it is about; empty: all. */
  prefix: string;
  /** Only for objects with certain tags. This action sets none, so the rule does not reach its objects. */
  tagged: boolean;
  /** Current objects are deleted at this age. */
  expiresAfterDays?: number;
  /** ISO 8601: everything is deleted on that day. */
  expiresOn?: string;
  transitions: readonly { days: number; storageClass: string }[];
  /** Unfinished uploads are discarded at this age. */
  abortsAfterDays?: number;
}

/** Objects in them cannot be read before somebody has asked for them, hours ahead. Amazon, storage classes. */
const FROZEN: readonly string[] = ['GLACIER', 'DEEP_ARCHIVE'];
const DAYS_OF_SLOT: Readonly<Record<SlotKind, number>> = {
  hourly: 1 / 24,
  daily: 1,
  weekly: 7,
  monthly: 31,
  yearly: 366,
};
/** Longer than any backup may run. */
const ABORT_AFTER_DAYS = 2;
/** The way back from a deletion, in a bucket with versions. */
const VERSIONS_DAYS = 30;
/** Smaller objects are not worth moving, and those of a set that are small are read by every command. Amazon: 128 KiB. */
const LEAST_BYTES_MOVED = 131_072;
/** Amazon bills at least so many days of each class: an object that goes sooner is cheaper where it is. */
const COLDER = [
  { afterDays: 30, storageClass: 'STANDARD_IA', leastDays: 30 },
  { afterDays: 90, storageClass: 'GLACIER_IR', leastDays: 90 },
] as const;

/**
 * For how many days the policy keeps a backup at most, when one is taken each day; infinite when a label is kept for ever.
 * What is kept for ever by its own word (releases, `keep-forever`) is not in it.
 */
export function longestKeptDays({ rules, labels }: RetentionPolicy): number {
  const others = labels.map(({ keep }) => (keep === 'forever' ? Number.POSITIVE_INFINITY : daysOf(keep)));
  // Without any rule for the rest, that is kept.
  const rest = Object.keys(rules).length === 0 ? Number.POSITIVE_INFINITY : daysOf(rules);
  return Math.ceil(Math.max(rest, ...others));
}

function daysOf(rules: KeepRules): number {
  const slots = SLOT_KINDS.map((kind) => (rules[kind] ?? 0) * DAYS_OF_SLOT[kind]);
  return Math.max(rules.last ?? 0, rules.withinDays ?? 0, ...slots);
}

/**
 * What is wrong with the rules of a bucket. An `error` is one that deletes what the policy keeps.
 * @param folder keys of the series begin with it, the destination's prefix included: `postgres/shop/`
 */
export function lifecycleFindings(
  rules: readonly LifecycleRule[],
  folder: string,
  policy: RetentionPolicy,
  location: string,
): Finding[] {
  const reaching = rules.filter(
    ({ enabled, tagged, prefix }) => enabled && !tagged && (folder.startsWith(prefix) || prefix.startsWith(folder)),
  );
  const aborts = reaching.some(
    ({ abortsAfterDays, prefix }) => abortsAfterDays !== undefined && folder.startsWith(prefix),
  );
  return [
    ...reaching.flatMap((rule) => [...deletion(rule, policy, location), ...freezing(rule, location)]),
    ...(aborts ? [] : [nothingAborts(location)]),
  ];
}

function deletion(rule: LifecycleRule, policy: RetentionPolicy, location: string): Finding[] {
  const { expiresAfterDays, expiresOn } = rule;
  if (expiresAfterDays === undefined && expiresOn === undefined) return [];
  const kept = longestKeptDays(policy);
  const when = expiresAfterDays === undefined ? `on ${expiresOn}` : `after ${countOf(expiresAfterDays, 'day')}`;
  const action =
    'Remove the expiration from that rule: `command: prune` deletes what the policy lets go, and knows what is proven.';
  if (expiresAfterDays !== undefined && expiresAfterDays >= kept) {
    const seen = `${nameOf(rule)} of the bucket of ${location} deletes everything ${when}: also releases, what is marked keep-forever and, when backups stop, the last proven one`;
    return [{ code: 'lifecycle-deletes-all', severity: 'warning', seen, action }];
  }
  const keeps = Number.isFinite(kept) ? `up to ${countOf(kept, 'day')}` : 'for ever';
  const seen = `${nameOf(rule)} of the bucket of ${location} deletes backups ${when}, and the policy keeps them ${keeps}`;
  return [{ code: 'lifecycle-too-short', severity: 'error', seen, action }];
}

function freezing(rule: LifecycleRule, location: string): Finding[] {
  const frozen = rule.transitions.filter(({ storageClass }) => FROZEN.includes(storageClass));
  return frozen.map(({ days, storageClass }) => ({
    code: 'lifecycle-freezes',
    severity: 'warning',
    seen: `${nameOf(rule)} of the bucket of ${location} moves objects to ${storageClass} after ${countOf(days, 'day')}: from then on a set cannot be read, neither by a restore nor by a prune, before somebody has thawed it for hours`,
    action: 'Move to GLACIER_IR instead: it is nearly as cheap, and can be read at once.',
  }));
}

function nothingAborts(location: string): Finding {
  return {
    code: 'lifecycle-no-abort',
    severity: 'notice',
    seen: `No rule of the bucket of ${location} discards unfinished uploads, which cost as much as finished ones and are seen by nobody`,
    action: 'Backups sweep away what dead runs have left. `lifecycle: print` shows a rule for the rest.',
  };
}

function nameOf({ id }: LifecycleRule): string {
  return id === '' ? 'A lifecycle rule without a name' : `The lifecycle rule ${JSON.stringify(id.slice(0, 120))}`;
}

export interface LifecyclePlace {
  /** Of the destination, with its `/`; empty for the whole bucket. */
  root: string;
  /** As in {@link lifecycleFindings}. */
  folder: string;
  /** Amazon's own storage, which has the colder classes; others have their own or none. */
  amazon: boolean;
  versions: boolean;
}

/**
 * A configuration that fits the policy, in the form in which S3 takes it. It deletes no backup: it discards unfinished
 * uploads, expires versions that are hidden already, and moves large objects to colder classes that can be read at once,
 * where the policy keeps backups long enough to save something by that.
 */
export function proposeLifecycle(policy: RetentionPolicy, { root, folder, amazon, versions }: LifecyclePlace): object {
  const kept = longestKeptDays(policy);
  const colder = amazon ? COLDER.filter(({ afterDays, leastDays }) => kept >= afterDays + leastDays) : [];
  const rule = (ID: string, Filter: object, what: object): object => ({ ID, Status: 'Enabled', Filter, ...what });
  return {
    Rules: [
      rule(
        'unfinished uploads',
        { Prefix: root },
        {
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_AFTER_DAYS },
        },
      ),
      ...(versions
        ? [
            rule(
              'hidden versions',
              { Prefix: root },
              {
                NoncurrentVersionExpiration: { NoncurrentDays: VERSIONS_DAYS },
              },
            ),
          ]
        : []),
      ...(colder.length === 0
        ? []
        : [
            rule(
              `colder classes for ${folder}`,
              { And: { Prefix: folder, ObjectSizeGreaterThan: LEAST_BYTES_MOVED } },
              {
                Transitions: colder.map(({ afterDays, storageClass }) => ({
                  Days: afterDays,
                  StorageClass: storageClass,
                })),
              },
            ),
          ]),
    ],
  };
}
