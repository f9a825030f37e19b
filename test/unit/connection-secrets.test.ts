import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConnection, redact, secretForms } from '../../src/domain/connection.ts';

const PASSWORD = `p'a\\ss:w"ö rd/+@%`;
const URL_TEXT = `postgres://user:${encodeURIComponent(PASSWORD)}@db.example.com/shop`;

describe('the forms of a secret', () => {
  const forms = secretForms(parseConnection(URL_TEXT, {}));

  it.each([
    ['the whole text', URL_TEXT],
    ['the password', PASSWORD],
    ['percent-encoded', encodeURIComponent(PASSWORD)],
    [
      'percent-encoded with lower-case digits',
      encodeURIComponent(PASSWORD).replace(/%../g, (hex) => hex.toLowerCase()),
    ],
    ['percent-encoded strictly', encodeURIComponent(PASSWORD).replaceAll("'", '%27')],
    ['as a form field', new URLSearchParams({ a: PASSWORD }).toString().slice(2)],
    ['inside JSON', JSON.stringify(PASSWORD).slice(1, -1)],
    ['inside an SQL literal', PASSWORD.replaceAll("'", "''")],
    ['inside a key=value string', PASSWORD.replace(/[\\']/g, '\\$&')],
    ['inside a password file', PASSWORD.replace(/[\\:]/g, '\\$&')],
    ['in base64', Buffer.from(PASSWORD).toString('base64')],
    ['the whole text in base64', Buffer.from(URL_TEXT).toString('base64')],
  ])('include %s', (_, form) => {
    expect(forms).toContain(form);
  });

  it('come longest first, so that none leaves a rest of a longer one', () => {
    expect(forms.map((form) => form.length)).toEqual(forms.map((form) => form.length).sort((a, b) => b - a));
    expect(redact(`at ${URL_TEXT} with ${PASSWORD}`, forms)).toBe('at *** with ***');
  });

  it('of a text that cannot be parsed still hold everything that may be a password', () => {
    expect(secretForms('postgres://u:hunter%32@x@h/d@b?zzz')).toEqual(
      expect.arrayContaining(['hunter%32', 'hunter2', 'hunter%32@x', 'hunter2@x']),
    );
    expect(secretForms("host=h password='hunter 2' user")).toEqual(expect.arrayContaining(["'hunter"]));
    expect(secretForms('"postgres://u:hunter2@h"\n')).toEqual(
      expect.arrayContaining(['hunter2', 'postgres://u:hunter2@h', '"postgres://u:hunter2@h"']),
    );
  });

  it('include what PG* variables and other secret keywords brought', () => {
    const request = parseConnection('host=h user=u sslpassword=key-secret', { PGPASSWORD: 'env-secret' });
    expect(secretForms(request)).toEqual(expect.arrayContaining(['key-secret', 'env-secret']));
  });

  it('leave out passwords too short to mask, and words that stand everywhere', () => {
    expect(secretForms(parseConnection('postgres://u:abc@h/db', {}))).not.toContain('abc');
    expect(secretForms(parseConnection('postgres://postgres:postgres@h/db', {}))).not.toContain('postgres');
    expect(secretForms(parseConnection('postgres://shop:shop@h/db', {}))).not.toContain('shop');
  });

  it('never throw, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(secretForms(`postgres://u:${text}@h/db`)).not.toContain('');
      }),
    );
  });
});
