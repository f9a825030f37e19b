/** Percent-encoding as libpq reads it: `+` stays a plus, `%00` is forbidden. */

const ENCODED = /%[0-9a-f]{2}/i;
const BROKEN = /%(?![0-9a-f]{2})/i;

/** The decoded text, or why it cannot be decoded (a predicate without the value: `holds …`). */
export function decodePercent(text: string): { ok: true; value: string } | { ok: false; fault: string } {
  if (BROKEN.test(text)) {
    return { ok: false, fault: 'holds a % that is not followed by two hexadecimal digits; write %25 for it' };
  }
  if (text.includes('%00')) return { ok: false, fault: 'holds %00, which Postgres does not allow' };
  try {
    return { ok: true, value: decodeURIComponent(text) };
  } catch {
    return { ok: false, fault: 'is percent-encoded, but not as UTF-8; write %25 for a literal %' };
  }
}

/**
 * For user names and passwords: one that was plainly never encoded (every `%` in it is followed by something else)
 * is taken as it stands, which libpq itself refuses. A mixture has two readings and is a fault.
 */
export function decodeCredential(text: string): ReturnType<typeof decodePercent> {
  if (!BROKEN.test(text)) return decodePercent(text);
  if (!ENCODED.test(text)) return { ok: true, value: text };
  return {
    ok: false,
    fault: 'holds a % that is not followed by two hexadecimal digits beside others that are; write %25 for a literal %',
  };
}
