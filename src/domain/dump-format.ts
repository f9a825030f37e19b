/** What a file that may be a dump is, by its first bytes: names are changed by hand, content is not. */

/** So many are needed to tell: the header of a tar and the first bytes of what is in it. */
export const DUMP_HEAD_BYTES = 1024;

/** What is around a dump, and is taken off before anything else is looked at. */
export type DumpLayer = 'age' | 'gpg' | 'gzip' | 'zstd';

/** `custom` and `tar` are for pg_restore, `sql` is for psql. */
export type DumpFormat = 'custom' | 'tar' | 'sql';

export type RecognisedDump =
  | { kind: 'layer'; layer: DumpLayer }
  | { kind: 'dump'; format: DumpFormat }
  /** `why` is a predicate: "is compressed with xz…". */
  | { kind: 'other'; why: string };

/** Of pg_dump, `pg_backup_archiver.h`: `PGDMP`, three bytes of version, sizes of int and offset, then the format. */
const ARCHIVE_MAGIC = 'PGDMP';
const ARCHIVE_FORMAT_AT = 10;
const CUSTOM_FORMAT = 1;
const DIRECTORY_FORMAT = 5;
/** POSIX ustar: blocks of 512 bytes, the magic near the end of the header, the first member's name at its start. */
const TAR_BLOCK_BYTES = 512;
const TAR_MAGIC_AT = 257;

const UNPACK = 'Unpack it and give the result';
const OTHER_FORMATS: readonly (readonly [magic: readonly number[], why: string])[] = [
  [[0x42, 0x5a, 0x68], `is compressed with bzip2. ${UNPACK} (bunzip2)`],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], `is compressed with xz. ${UNPACK} (unxz)`],
  [[0x04, 0x22, 0x4d, 0x18], `is compressed with lz4. ${UNPACK} (lz4 -d)`],
  [[0x50, 0x4b, 0x03, 0x04], `is a zip file. ${UNPACK} (unzip)`],
  [[0xff, 0xfe], 'is UTF-16, as PowerShell’s ">" writes it, which spoils dumps. Take a new one with pg_dump -f'],
];

/** `head`: the first {@link DUMP_HEAD_BYTES}, or all there is. */
export function recogniseDump(head: Uint8Array): RecognisedDump {
  if (head.byteLength === 0) return { kind: 'other', why: 'is empty' };
  const layer = recogniseLayer(head);
  if (layer !== undefined) return { kind: 'layer', layer };
  const text = latin1(head);
  if (text.startsWith(ARCHIVE_MAGIC)) return recogniseArchive(head[ARCHIVE_FORMAT_AT]);
  if (text.slice(TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === 'ustar') return recogniseTar(text);
  const other = OTHER_FORMATS.find(([magic]) => beginsWith(head, magic));
  return other === undefined ? recogniseText(text) : { kind: 'other', why: other[1] };
}

function recogniseLayer(head: Uint8Array): DumpLayer | undefined {
  if (beginsWith(head, [0x1f, 0x8b])) return 'gzip';
  if (beginsWith(head, [0x28, 0xb5, 0x2f, 0xfd]) || isSkippableFrame(head)) return 'zstd';
  const text = latin1(head.subarray(0, 64));
  if (text.startsWith('age-encryption.org/') || text.startsWith('-----BEGIN AGE ENCRYPTED FILE')) return 'age';
  if (text.startsWith('-----BEGIN PGP MESSAGE')) return 'gpg';
  return isOpenPgp(head[0] ?? 0) ? 'gpg' : undefined;
}

/** pzstd begins every frame with one (RFC 8878, 3.1.2). */
function isSkippableFrame(head: Uint8Array): boolean {
  return ((head[0] ?? 0) & 0xf0) === 0x50 && beginsWith(head.subarray(1), [0x2a, 0x4d, 0x18]);
}

/** The first packet of an encrypted OpenPGP message, in the old or the new form (RFC 9580, 4.2 and 5). */
function isOpenPgp(first: number): boolean {
  const tag = (first & 0xc0) === 0xc0 ? first & 0x3f : (first & 0x80) === 0x80 ? (first & 0x3c) >> 2 : 0;
  // Session key by public key or passphrase; a message that is only signed or packed is no dump that was encrypted.
  return tag === 1 || tag === 3;
}

function recogniseArchive(format: number | undefined): RecognisedDump {
  if (format === CUSTOM_FORMAT) return { kind: 'dump', format: 'custom' };
  const why =
    format === DIRECTORY_FORMAT
      ? 'is only the toc.dat of an archive in directory format. Give the folder that it lies in'
      : 'is an archive of pg_dump in a format that is not known here';
  return { kind: 'other', why };
}

/** pg_dump's own begins with toc.dat; pg_restore reads no other. */
function recogniseTar(text: string): RecognisedDump {
  const name = text.slice(0, text.indexOf('\0'));
  const content = text.slice(TAR_BLOCK_BYTES);
  const ofDirectory = content.charCodeAt(ARCHIVE_FORMAT_AT) === DIRECTORY_FORMAT;
  if (name === 'toc.dat' && content.startsWith(ARCHIVE_MAGIC) && !ofDirectory) return { kind: 'dump', format: 'tar' };
  return { kind: 'other', why: `is a tar of files that pg_dump did not put together. ${UNPACK} (tar -x)` };
}

/** Statements and comments that dumps begin with. */
const SQL_START =
  /^(--|\/\*|\\|(set|select|create|begin|start|insert|copy|alter|drop|do|comment|grant|revoke|truncate|update|delete|with|call|lock|reset)\b)/i;

function recogniseText(text: string): RecognisedDump {
  if (text.includes('-- PostgreSQL database cluster dump')) {
    return {
      kind: 'other',
      why: 'is a dump of a whole server (pg_dumpall): it would leave the database that it is restored into and change others. Restore it by hand with psql into a server of its own',
    };
  }
  if (/^-- (MySQL|MariaDB) dump/m.test(text)) return { kind: 'other', why: 'is a dump of MySQL, not of Postgres' };
  const start = text.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (!text.includes('\0') && SQL_START.test(start)) return { kind: 'dump', format: 'sql' };
  return { kind: 'other', why: 'is no dump: neither an archive of pg_dump nor SQL, compressed or encrypted or not' };
}

/** pg_dump's plain dumps end with a comment; one that begins as such and lacks it was cut short. */
export function lacksItsEnd(head: Uint8Array, tail: Uint8Array): boolean {
  return (
    latin1(head).includes('-- PostgreSQL database dump\n') &&
    !latin1(tail).includes('-- PostgreSQL database dump complete')
  );
}

function beginsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** A character a byte. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
