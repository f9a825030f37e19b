/** Turns names of the archive into text, as its `SET client_encoding` says. */

/** Names of Postgres for those encodings whose name for `TextDecoder` is another one. */
const DECODER_NAMES: Record<string, string> = {
  UTF8: 'utf-8',
  // The driver reads an SQL_ASCII database's names as UTF-8 too, so both sides agree.
  SQL_ASCII: 'utf-8',
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
  EUC_CN: 'gb2312',
  LATIN5: 'iso-8859-9',
};

/** Client-only encodings in which a byte of a letter can look like a quote or a backslash. */
const AMBIGUOUS = new Set(['SJIS', 'SHIFT_JIS_2004', 'BIG5', 'GBK', 'GB18030', 'UHC', 'JOHAB']);

export type DecodeText = (bytes: Uint8Array) => string;

/**
 * A decoder for the encoding that the archive was written in. `undefined` for encodings in which SQL cannot be
 * told from text byte by byte; a server never has one of these, only a client that asked for it.
 * Of an encoding that this platform cannot decode, names in ASCII are read and others throw.
 */
export function decoderFor(encoding: string): DecodeText | undefined {
  const name = encoding.toUpperCase();
  if (AMBIGUOUS.has(name)) return undefined;
  // What the web calls latin1 is Windows-1252; Postgres means ISO 8859-1.
  if (name === 'LATIN1') return (bytes) => Buffer.from(bytes).toString('latin1');
  const decoderName = DECODER_NAMES[name];
  if (decoderName === undefined) return asciiOnly(encoding);
  const decoder = new TextDecoder(decoderName, { ignoreBOM: true });
  return (bytes) => decoder.decode(bytes);
}

function asciiOnly(encoding: string): DecodeText {
  return (bytes) => {
    if (bytes.some((byte) => byte >= 0x80)) throw new Error(`names in the encoding ${encoding} cannot be read`);
    return Buffer.from(bytes).toString('latin1');
  };
}
