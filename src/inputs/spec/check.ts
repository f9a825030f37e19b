/** Inputs of `check`. */
import { baseline, checkChoices, decimal, expectedExtensions, orphanChoices } from '../check-values.ts';
import { type CommandName, input } from '../input.ts';
import { optional, orElse, wholeNumber, yesOrNo } from '../values.ts';

const check: readonly CommandName[] = ['check'];

export const CHECK = {
  'max-latency-ms': input({
    commands: check,
    description: 'The longest round trip to the database, as the median of ten, in milliseconds.',
    whenEmpty: '`500`',
    parse: optional(wholeNumber(1, 600_000)),
  }),
  'max-connections-percent': input({
    commands: check,
    description: 'How many of the connections that are not reserved may be in use.',
    whenEmpty: '`80`',
    parse: optional(wholeNumber(1, 100)),
  }),
  'max-active-sessions': input({
    commands: check,
    description:
      'How many sessions may be at work at once: best the number of cores of the server, which Postgres does not tell.',
    whenEmpty: 'not checked',
    parse: optional(wholeNumber(0, 1_000_000)),
  }),
  'max-transaction-minutes': input({
    commands: check,
    description: 'How long a transaction may have lasted.',
    whenEmpty: '`60`',
    parse: optional(decimal),
  }),
  'max-row-drop-percent': input({
    commands: check,
    description:
      'How many of its rows a table of `critical-tables` may have lost since the newest proven backup in `storage`. An error when one of both is empty.',
    whenEmpty: '`50` where `storage` and `critical-tables` are given; otherwise not checked',
    parse: optional(wholeNumber(0, 100)),
  }),
  'storage-limit-gb': input({
    commands: check,
    description:
      'The storage of the database’s plan in GB (10⁹ bytes): a warning from 70 % and again from 85 % on, a failure from 95 %.',
    whenEmpty: 'not checked',
    parse: optional(decimal),
  }),
  'orphan-checks': input({
    commands: check,
    description:
      'Where rows whose parent is missing are looked for, one a line: pairs such as `orders.customer_id -> customers.id`, with or without a foreign key, and `auto` for foreign keys that are not validated and those that seem to be missing.',
    whenEmpty: 'nowhere',
    parse: orphanChoices,
  }),
  'expected-extensions': input({
    commands: check,
    description: 'Extensions that must be installed, one a line or with commas between them: `postgis`, `vector>=0.7`.',
    whenEmpty: 'not checked',
    parse: expectedExtensions,
  }),
  'expected-schema': input({
    commands: check,
    description:
      'The path of a list of the objects that must be there, one a line: what a migration should have done. A run with `report-path` writes the list of today beside its report (`….schema.txt`).',
    whenEmpty: 'not checked',
    parse: optional((text) => text),
  }),
  checks: input({
    commands: check,
    description:
      'Changes single checks or whole groups, one a line: `code=off`, `code=warning` or `code=failed` (what it counts for when it does not pass), `code=NUMBER` (its limit). All of them: docs/check.md.',
    whenEmpty: 'all checks as docs/check.md has them',
    parse: checkChoices,
  }),
  strict: input({
    commands: check,
    description: 'Lets a check that could not run count as failed.',
    whenEmpty: '`false`: it is a warning of the verdict, and the step stays green',
    parse: orElse(yesOrNo, false),
  }),
  baseline: input({
    commands: check,
    description:
      'What this run is compared with, to show what has become worse: `storage` (the newest record in `_checks/`) or the path of a `.json` record that an earlier run wrote beside its report.',
    whenEmpty: 'nothing',
    parse: optional(baseline),
  }),
} as const;
