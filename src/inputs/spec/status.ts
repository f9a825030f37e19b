/** Inputs of `status`. */
import { GOOD_BACKUP_HOURS } from '../../domain/notify/level.ts';
import { DIGESTS } from '../../domain/notify.ts';
import { FAIL_ON } from '../../domain/status/model.ts';
import { MAX_DRILL_AGE_DAYS } from '../../domain/status/other-schedules.ts';
import { seriesName } from '../backup-values.ts';
import { type CommandName, input } from '../input.ts';
import { timeSpanHours } from '../status-values.ts';
import { oneOf, optional, orElse, wholeNumber, words, yesOrNo } from '../values.ts';

const status: readonly CommandName[] = ['status'];

export const STATUS = {
  'expected-names': input({
    commands: status,
    description:
      'Series that must have a backup, one a line or with commas between them: one that has none at all is critical. Every other series that is found is looked at as well.',
    whenEmpty: 'only `name`, where it is given',
    parse: words(seriesName),
  }),
  'max-age-hours': input({
    commands: status,
    description:
      'A series whose newest proven backup is older is critical; there is a warning two hours before, or a quarter of this time where that is less.',
    whenEmpty: `\`${GOOD_BACKUP_HOURS}\``,
    parse: orElse(wholeNumber(1, 100_000), GOOD_BACKUP_HOURS),
  }),
  'max-drill-age-days': input({
    commands: status,
    description: 'A series whose last drill that passed is longer ago gets a warning.',
    whenEmpty: `\`${MAX_DRILL_AGE_DAYS}\``,
    parse: orElse(wholeNumber(1, 10_000), MAX_DRILL_AGE_DAYS),
  }),
  'expected-every': input({
    commands: status,
    description:
      'How often a backup is to come, such as `24h`, `6h`, `1d` or `30m`: a run that does not come by half of that time later gets a warning.',
    whenEmpty: 'as often as the newest backups came',
    parse: optional(timeSpanHours),
  }),
  'storage-budget-gb': input({
    commands: status,
    description:
      'How much a destination may hold, in units of 10^9 bytes: from 80 percent on, and when it will be full within 30 days, there is a warning; when it is full, that is critical.',
    whenEmpty: 'nobody counts',
    parse: optional(wholeNumber(1, 10_000_000)),
  }),
  'verify-stored-days': input({
    commands: status,
    description:
      'Reads a share of all sets again each day, at every destination, and holds them against their SHA-256, so that everything is read in so many days of daily runs. Runs that come less often also read what had its day since the last one, as far as the Actions cache remembers it. Whatever is read costs what the provider charges for it.',
    whenEmpty: 'nothing is read again',
    parse: optional(wholeNumber(1, 3_650)),
  }),
  'fail-on': input({
    commands: status,
    description: 'From which level of findings on the step fails: `critical`, `warning` or `never`.',
    whenEmpty: '`critical`',
    parse: orElse(oneOf(...FAIL_ON), 'critical'),
  }),
  digest: input({
    commands: status,
    description:
      'This run also tells Slack, webhook and mail how the last week or month went, whatever its findings: `weekly` or `monthly`. Give it in a schedule of its own: docs/alarms.md.',
    whenEmpty: 'no digest',
    parse: optional(oneOf(...DIGESTS)),
  }),
  'cache-manifests': input({
    commands: status,
    description:
      "Keeps what was read of manifests, and when stored bytes were read again, in the repository's Actions cache, so that the next status reads new ones alone. `false` where others can write the cache of this branch: it says what is proven.",
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
  dashboard: input({
    commands: status,
    description:
      'Where the dashboard is written: one page of HTML that needs nothing else, for people who do not read logs. No name of a table stands on it.',
    whenEmpty: 'no page beyond the job summary',
    parse: optional((text) => text),
  }),
} as const;
