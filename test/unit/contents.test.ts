import { describe, expect, test } from 'vitest';
import { type Contents, parseContents, serializeContents } from '../../src/domain/contents.ts';
import { publishedSchema, schemaErrors } from '../support/published-schemas.ts';
import { contents } from '../support/set-documents.ts';
import { refusedBy } from '../support/spoilt-documents.ts';

const validate = publishedSchema('contents');
const refusal = (document: unknown): string => refusedBy(parseContents, document, { op: 'read contents.json' });

/** Without what may be absent. */
function bare(): Contents {
  const { locale: _locale, collationVersion: _version, ...database } = contents().database;
  const tables = contents().tables.map(({ countedRows: _rows, extensionCondition: _where, ...table }) => table);
  const sequences = contents().sequences.map(({ after: _after, ...sequence }) => sequence);
  return contents({ database, tables, sequences });
}

describe('contents.json', () => {
  test('comes back as it was written, awkward names and 64-bit numbers included', () => {
    expect(parseContents(serializeContents(contents()))).toEqual(contents());
    expect(parseContents(serializeContents(bare()))).toEqual(bare());
    const name = '__proto__';
    const hostile = contents({ definedOnly: [{ schema: name, name, kind: 'foreign-table' }] });
    expect(parseContents(serializeContents(hostile))).toEqual(hostile);
  });

  test('is written the same whatever order its fields had', () => {
    const reversed = Object.fromEntries(Object.entries(contents()).reverse()) as unknown as Contents;
    expect(serializeContents(reversed)).toBe(serializeContents(contents()));
  });

  test('meets its published schema, which describes every field that is written', () => {
    for (const document of [contents(), bare()]) {
      const written = JSON.parse(serializeContents(document));
      expect(validate(written), JSON.stringify(validate.errors)).toBe(true);
      expect(schemaErrors('contents', written)).toEqual([]);
    }
  });

  test('from a newer version is refused by name', () => {
    expect(refusal({ ...contents(), schemaVersion: 2 })).toBe(
      'contents.json was written by a newer version (schemaVersion 2); this one reads up to 1',
    );
  });

  test('without any one of its fields is refused by reader and schema', () => {
    for (const key of Object.keys(contents())) {
      const { [key as keyof Contents]: _removed, ...rest } = contents();
      expect(refusal(rest)).toContain(key);
      expect(validate(rest), key).toBe(false);
    }
  });

  test.each<[string, (document: Contents) => void]>([
    ['tables[0].digest', ({ tables: [table] }) => Object.assign(table ?? {}, { digest: 'x' })],
    ['tables[0].rows', ({ tables: [table] }) => Object.assign(table ?? {}, { rows: '3' })],
    ['tables[0].columns[0]', ({ tables: [table] }) => Object.assign(table ?? {}, { columns: [1] })],
    ['tables[0].countedRows', ({ tables: [table] }) => Object.assign(table ?? {}, { countedRows: null })],
    ['sequences[0].before.lastValue', ({ sequences: [s] }) => Object.assign(s?.before ?? {}, { lastValue: 7 })],
    ['sequences[0].dumped.isCalled', ({ sequences: [s] }) => Object.assign(s?.dumped ?? {}, { isCalled: 't' })],
    ['plainObjects[0].name', ({ plainObjects: [o] }) => Object.assign(o ?? {}, { name: '../x' })],
    ['objects[0].digests[0]', ({ objects: [o] }) => Object.assign(o ?? {}, { digests: ['00'] })],
    ['definedOnly[0].kind', ({ definedOnly: [d] }) => Object.assign(d ?? {}, { kind: 'view' })],
    ['digestAlgorithm', (document) => Object.assign(document, { digestAlgorithm: 'md5' })],
    ['settings.TimeZone', ({ settings }) => Object.assign(settings, { TimeZone: 0 })],
  ])('with a wrong %s is refused by reader and schema', (path, spoil) => {
    const document = structuredClone(contents());
    spoil(document);
    expect(refusal(document)).toContain(path);
    expect(validate(document)).toBe(false);
  });
});
