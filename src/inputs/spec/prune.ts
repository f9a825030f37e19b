/** Inputs of `prune`, and of a backup that prunes afterwards. */
import { type CommandName, input } from '../input.ts';
import { labelRules, timeZone } from '../retention-values.ts';
import { oneOf, optional, orElse, wholeNumber, yesOrNo } from '../values.ts';

const both: readonly CommandName[] = ['prune', 'backup'];
const MOST = 10_000;

function slots(what: string) {
  return input({
    commands: both,
    description: `Keeps one backup for each of so many of the newest ${what} that have a proven one: the one that a drill brought back, else the newest proven one.`,
    whenEmpty: 'no such rule',
    parse: optional(wholeNumber(1, MOST)),
  });
}

export const PRUNE = {
  'prune-after-backup': input({
    commands: ['backup'],
    description:
      'Prunes the series by the policy below after a backup that is proven at every destination, and after no other. The bucket key then needs the rights of both.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'keep-last': input({
    commands: both,
    description:
      'Keeps so many of the newest proven backups. `prune` needs at least one rule; a backup is kept when any rule keeps it.',
    whenEmpty: 'no such rule',
    parse: optional(wholeNumber(1, MOST)),
  }),
  'keep-hourly': slots('hours'),
  'keep-daily': slots('days'),
  'keep-weekly': slots('weeks (from Monday)'),
  'keep-monthly': slots('months'),
  'keep-yearly': slots('years'),
  'keep-within-days': input({
    commands: both,
    description: 'Keeps every backup that is not older than so many times 24 hours.',
    whenEmpty: 'no such rule',
    parse: optional(wholeNumber(1, 36_500)),
  }),
  'keep-by-label': input({
    commands: both,
    description:
      'Other rules for backups of a label, one a line: `label=pre-migration: keep-within-days=30, keep-last=3`, or `label=audit-*: keep-forever`. The first line that fits counts, and the rules above then do not. `*` stands for anything.',
    whenEmpty: 'the rules above are for all labels',
    parse: labelRules,
  }),
  'time-zone': input({
    commands: both,
    description:
      'In which hours, days, weeks, months and years are counted: a name of the IANA such as `Europe/Berlin`.',
    whenEmpty: '`UTC`',
    parse: optional(timeZone),
  }),
  lifecycle: input({
    commands: ['prune'],
    description:
      '`check` reads the rules by which each bucket itself deletes and moves objects, and fails when one deletes what the policy keeps. `print` shows rules that fit the policy; it changes nothing.',
    whenEmpty: '`off`',
    parse: orElse(oneOf('off', 'print', 'check'), 'off'),
  }),
  'max-prune-percent': input({
    commands: both,
    description:
      'A plan that would remove more than this share of the backups of a destination stops before anything is deleted there.',
    whenEmpty: '`50`',
    parse: optional(wholeNumber(1, 100)),
  }),
} as const;
