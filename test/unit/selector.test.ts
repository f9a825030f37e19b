import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBackupId } from '../../src/domain/backup-id.ts';
import { BackupError } from '../../src/domain/errors.ts';
import {
  type BackupSelector,
  chooseSet,
  describeSelector,
  type KnownSet,
  mayBeMeant,
  parseSelector,
} from '../../src/domain/selector.ts';

const ID = '20261121_020000_nightly_k3v9qa';
const at = (time: string): BackupSelector => ({ kind: 'before', time: new Date(time) });

test.each<[string, BackupSelector]>([
  ['latest', { kind: 'latest' }],
  [' latest-proven\n', { kind: 'latest-proven' }],
  ['latest-restored', { kind: 'latest-restored' }],
  ['before:2026-11-21', at('2026-11-21T00:00:00Z')],
  ['before:2026-11-21T02:00:00Z', at('2026-11-21T02:00:00Z')],
  ['before: 2026-11-21 02:00z', at('2026-11-21T02:00:00Z')],
  ['before:2026-11-21T02:00:00.123456Z', at('2026-11-21T02:00:00.123Z')],
  ['before:2026-11-21T02:00:00+05:30', at('2026-11-20T20:30:00Z')],
  ['before:2026-11-21T02:00-0800', at('2026-11-21T10:00:00Z')],
  ['before:2028-02-29', at('2028-02-29T00:00:00Z')],
  [ID, { kind: 'id', prefix: ID }],
  ['2026', { kind: 'id', prefix: '2026' }],
  ['20261121_02', { kind: 'id', prefix: '20261121_02' }],
  ['20261121_020000_pre-migration_v1.2', { kind: 'id', prefix: '20261121_020000_pre-migration_v1.2' }],
  [`shop/${ID}`, { kind: 'location', location: `shop/${ID}` }],
  [`s3://acme/x/shop/${ID}/metadata.json`, { kind: 'location', location: `s3://acme/x/shop/${ID}/metadata.json` }],
  ['./dump.sql.gz', { kind: 'location', location: './dump.sql.gz' }],
  ['dump.sql', { kind: 'location', location: 'dump.sql' }],
  ['./latest', { kind: 'location', location: './latest' }],
  ['/data/20261121.sql', { kind: 'location', location: '/data/20261121.sql' }],
  ['20261121.sql', { kind: 'location', location: '20261121.sql' }],
])('%j is understood', (text, selector) => {
  expect(parseSelector(text)).toEqual(selector);
});

test.each([
  ['', /empty/],
  ['202', /too short/],
  ['Latest', /"Latest" is not a choice/],
  ['latest_proven', /is not a choice/],
  ['before', /is not a choice/],
  ['before:', /not a time/],
  ['before:yesterday', /not a time/],
  ['before:2026-11-21T02:00:00', /without a zone/],
  ['before:2026-11-21 02:00', /without a zone/],
  ['before:2026-02-30', /There is no/],
  ['before:2026-11-21T24:00Z', /There is no/],
  ['before:2026-11-21T02:00+99:00', /no zone/],
  ['before:2026-11-21T02:00+01:75', /no zone/],
  ['https://example.com/dump.sql', /not a kind of storage/],
  ['s3://UPPER/x', /not the name of a bucket/],
  ['s3://key:secret@bucket/x', /credentials/],
  ['~/dump.sql', /shell/],
  ['one\ntwo', /control character/],
])('%j is refused in words', (text, words) => {
  const parse = (): unknown => parseSelector(text);
  expect(parse).toThrow(BackupError);
  expect(parse).toThrow(words);
});

test.each([
  ['Latest', 'latest'],
  ['lastest-proven', 'latest-proven'],
  ['latest_restored', 'latest-restored'],
  ['latest-good', 'latest-proven'],
  ['newest', 'latest-proven'],
  ['last', 'latest-proven'],
  ['proven', 'latest-proven'],
  ['drilled', 'latest-restored'],
  ['yesterday', 'before:2026-11-21T02:00:00Z'],
])('%s is no choice: the one that is meant is offered, and all are said', (text, meant) => {
  expect(() => parseSelector(text)).toThrow(
    `"${text}" is not a choice. Did you mean ${meant}? Write latest, latest-proven, latest-restored, before:`,
  );
});

test.each(['dump', 'shop', 'nightly', 'backups-of-yesterday', '2026-11-21', './yesterday', 'yesterday.sql'])(
  '%s may be the name of a file or folder',
  (text) => {
    expect(parseSelector(text)).toEqual({ kind: 'location', location: text });
  },
);

test('a location that holds credentials is not repeated', () => {
  expect(() => parseSelector('s3://key:hunter2@bucket/x')).not.toThrow(/hunter2/);
});

const set = (id: string, over: Partial<KnownSet> = {}): KnownSet => ({
  id,
  verdict: 'proven',
  snapshotAt: `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T${id.slice(9, 11)}:${id.slice(11, 13)}:${id.slice(13, 15)}.000Z`,
  ...over,
});
const OLD = set('20261119_020000_nightly_aaaaaa', { restored: true });
const PROVEN = set('20261120_020000_nightly_bbbbbb');
const DOUBTFUL = set('20261121_020000_nightly_cccccc', { verdict: 'unproven', restored: true });
const SETS = [PROVEN, DOUBTFUL, OLD];

describe('the choice among three sets', () => {
  test.each([
    ['latest', DOUBTFUL],
    ['latest-proven', PROVEN],
    ['latest-restored', OLD],
    ['before:2026-11-20T02:00:00Z', PROVEN],
    ['before:2026-11-20T01:59:59Z', OLD],
    ['before:2027-01-01', PROVEN],
    ['20261121', DOUBTFUL],
    [OLD.id, OLD],
  ])('%s', (text, chosen) => {
    expect(chooseSet(parsed(text), SETS)).toEqual({ kind: 'chosen', set: chosen });
  });

  test.each([
    ['before:2026-11-01', 'none that is proven was taken at or before 2026-11-01T00:00:00.000Z'],
    ['2025', 'no id begins with 2025'],
  ])('%s chooses none and says why', (text, why) => {
    expect(chooseSet(parsed(text), SETS)).toEqual({ kind: 'none', why });
  });

  test('a prefix of several is no choice; they come newest first', () => {
    expect(chooseSet(parsed('2026112'), SETS)).toEqual({ kind: 'several', sets: [DOUBTFUL, PROVEN] });
  });

  test('a whole id means itself, though another one begins like it', () => {
    const longer = set(`${PROVEN.id}_dddddd`);
    expect(chooseSet(parsed(PROVEN.id), [longer, PROVEN])).toEqual({ kind: 'chosen', set: PROVEN });
  });

  test('of an empty series there is nothing to choose', () => {
    for (const text of ['latest', 'latest-proven', 'latest-restored']) {
      expect(chooseSet(parsed(text), [])).toMatchObject({ kind: 'none' });
    }
  });
});

function parsed(text: string) {
  const selector = parseSelector(text);
  if (selector.kind === 'location') throw new Error('a location');
  return selector;
}

/** Times of a few days, so that some are equal. */
const time = fc.integer({ min: 0, max: 200_000 }).map((seconds) => new Date(Date.UTC(2026, 10, 20) + seconds * 1000));
const sets = fc
  .array(
    fc.record({
      time,
      label: fc.constantFrom('nightly', 'pre_migration', 'v1.2'),
      random: fc.stringMatching(/^[0-9a-hjkmnp-tv-z]{6}$/),
      milliseconds: fc.integer({ min: 0, max: 999 }),
      verdict: fc.constantFrom('proven' as const, 'unproven' as const),
      restored: fc.boolean(),
    }),
    { maxLength: 30 },
  )
  .map((drawn) =>
    drawn.map(({ time, label, random, milliseconds, ...rest }) => ({
      ...rest,
      id: formatBackupId(time, label, random),
      snapshotAt: new Date(time.getTime() + milliseconds).toISOString(),
    })),
  );
const selectors = fc.oneof(
  fc.constantFrom('latest', 'latest-proven', 'latest-restored').map(parsed),
  time.map((moment) => parsed(`before:${moment.toISOString()}`)),
  fc.constantFrom('2026', '20261121', '20261120_1', '20261122_').map(parsed),
);

test('the order in which sets are known changes nothing, and nothing newer was eligible', () => {
  fc.assert(
    fc.property(selectors, sets, fc.infiniteStream(fc.nat()), (selector, known, dice) => {
      const shuffled = [...known].sort(() => (dice.next().value % 3) - 1);
      const choice = chooseSet(selector, known);
      expect(chooseSet(selector, shuffled)).toEqual(choice);
      if (choice.kind !== 'chosen') return;
      const others = known.filter(({ id }) => id !== choice.set.id);
      const without = chooseSet(selector, others);
      if (without.kind === 'chosen') expect(without.set.snapshotAt <= choice.set.snapshotAt).toBe(true);
      expect(mayBeMeant(selector, choice.set.id)).toBe(true);
    }),
  );
});

test('what a message says of a selector is understood as the same selector', () => {
  fc.assert(
    fc.property(selectors, (selector) => {
      expect(parseSelector(describeSelector(selector))).toEqual(selector);
    }),
  );
});
