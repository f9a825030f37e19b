import { describe, expect, test } from 'vitest';
import { type Manifest, parseManifest, serializeManifest } from '../../src/domain/manifest.ts';
import { publishedSchema, schemaErrors } from '../support/published-schemas.ts';
import { manifest } from '../support/set-documents.ts';
import { changed, paths, refusedBy } from '../support/spoilt-documents.ts';

const validate = publishedSchema('metadata');
const refusal = (document: unknown): string => refusedBy(parseManifest, document, { op: 'read metadata.json' });

describe('metadata.json', () => {
  test('comes back as it was written', () => {
    expect(parseManifest(serializeManifest(manifest()))).toEqual(manifest());
    const local = manifest({ run: null, encryption: { method: 'none' } });
    expect(parseManifest(serializeManifest(local))).toEqual(local);
    expect(parseManifest(serializeManifest(manifest({ encryption: { method: 'age-passphrase' } })))).toBeDefined();
  });

  test('is written the same whatever order its fields had', () => {
    const reversed = Object.fromEntries(Object.entries(manifest()).reverse()) as unknown as Manifest;
    expect(serializeManifest(reversed)).toBe(serializeManifest(manifest()));
    expect(serializeManifest(manifest()).startsWith('{\n  "schemaVersion": 1,\n  "id": "20261121')).toBe(true);
  });

  test('meets its published schema, which describes every field that is written', () => {
    for (const document of [manifest(), manifest({ run: null, encryption: { method: 'none' }, warnings: [] })]) {
      const written = JSON.parse(serializeManifest(document));
      expect(validate(written), JSON.stringify(validate.errors)).toBe(true);
      expect(schemaErrors('metadata', written)).toEqual([]);
    }
  });

  test('from a newer version is refused by name', () => {
    expect(refusal({ ...manifest(), schemaVersion: 2, nothing: 'of it is looked at' })).toBe(
      'metadata.json was written by a newer version (schemaVersion 2); this one reads up to 1',
    );
    expect(validate({ ...manifest(), schemaVersion: 2 })).toBe(false);
  });

  test('with fields that it does not know is read without them', () => {
    expect(parseManifest(JSON.stringify({ ...manifest(), added: 'later' }))).toEqual(manifest());
    expect(validate({ ...manifest(), added: 'later' })).toBe(true);
  });

  test('without any one of its fields, or with another type there, is refused by reader and schema', () => {
    const map = 'tableStats.tables';
    const places = paths(manifest()).filter((path) => !/^\w+\.\d+$/.test(path) && !path.startsWith(`${map}.`));
    expect(places.length).toBeGreaterThan(60);
    for (const path of places) {
      for (const value of [undefined, { wrong: true }, ['wrong'], 1.5, -1, null]) {
        const number = typeof value === 'number' && path.startsWith('timings.') && value > 0;
        const allowed = number || (path === 'run' && value === null);
        const asMap = path === map && typeof value === 'object' && value !== null && !Array.isArray(value);
        const asTexts = path === 'encryption.recipients' && Array.isArray(value);
        if (allowed || asMap || asTexts) continue;
        const document = changed(manifest(), path, value);
        refusal(document);
        expect(validate(document), `${path} as ${JSON.stringify(value)}`).toBe(false);
      }
    }
  });

  test.each([
    ['id', '20260230_020000_nightly_k3v9qa'],
    ['id', '../20261121_020000_nightly_k3v9qa'],
    ['name', '_drills'],
    ['snapshotAt', '2026-11-21 02:00:00'],
    ['snapshotAt', '2026-02-30T02:00:00.000Z'],
    ['verdict', 'fine'],
    ['objects.0.name', '../../etc/passwd'],
    ['objects.0.name', '/etc/passwd'],
    ['objects.0.name', 'database.dir/../../x'],
    ['objects.0.sha256', 'AB'.repeat(32)],
    ['objects.0.role', 'script'],
    ['archive.format', 'directory'],
    ['encryption', { method: 'gpg' }],
    ['encryption', { method: 'age', recipients: [] }],
    ['totals.rows', 2 ** 53],
    ['tableStats.salt', 'no hex'],
    ['tableStats.tables', { orders: { rows: 1, bytes: 1 } }],
    ['checks.0.status', 'ok'],
  ])('with %s = %j is refused', (path, value) => {
    expect(refusal(changed(manifest(), path, value))).toContain(path.split('.').at(-1)?.replace('tables', 'key') ?? '');
  });

  test.each([
    ['a label that its id does not have', { label: 'weekly' }, 'label'],
    ['a verdict that its checks do not give', { verdict: 'unproven' as const }, 'checks say proven'],
    ['no checks at all and yet proven', { checks: [] }, 'checks say unproven'],
    ['no archive', { objects: manifest().objects.slice(1) }, 'no archive'],
    ['no contents', { objects: manifest().objects.filter(({ role }) => role !== 'contents') }, 'contents.json'],
    ['no guide', { objects: manifest().objects.slice(0, 3) }, 'RESTORE.md'],
    ['an object twice', { objects: [...manifest().objects, ...manifest().objects.slice(0, 1)] }, 'twice'],
  ])('with %s is refused', (_what, over, words) => {
    expect(refusal(manifest(over))).toContain(words);
    expect(() => serializeManifest(manifest(over))).toThrow(expect.objectContaining({ code: 'ERR_MANIFEST' }));
  });

  test('that is proven though a check failed is refused', () => {
    const [first, ...rest] = manifest().checks;
    if (first === undefined) throw new Error('no check');
    for (const status of ['failed', 'partial', 'not-run'] as const) {
      expect(refusal(manifest({ checks: [{ ...first, status }, ...rest] }))).toContain('checks say unproven');
    }
  });

  test('that is no manifest at all is refused', () => {
    for (const text of ['', '{', 'null', '[]', '"x"', '1', '{}', '{"schemaVersion":"1"}', '{"schemaVersion":0}'])
      refusal(text);
  });
});
