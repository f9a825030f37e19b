/** Parsers of the values that only a backup knows: series, label, compression, patterns, recipients, passphrase. */
import { normalize } from 'node:path';
import { checkPassphrase, parseRecipient, parseRecipients } from '../crypto/age.ts';
import { roleArnProblem } from '../domain/aws-role.ts';
import { isSeriesName, normalizeLabel } from '../domain/backup-id.ts';
import type { Compression } from '../domain/compression.ts';
import { type Destination, describeDestination, parseDestination } from '../domain/destination.ts';
import { parseSchemaPattern, parseTablePattern } from '../domain/name-pattern.ts';
import { lines, type Parse, quoted, rejected, words } from './values.ts';

/** Levels that each method of pg_dump takes; lz4's and zstd's are those of their own libraries. */
const LEVELS: Readonly<Record<Compression['method'], number>> = { zstd: 22, gzip: 9, lz4: 12, none: 0 };

export const seriesName: Parse<string> = (text) => {
  if (isSeriesName(text)) return text;
  throw rejected(
    `${quoted(text)} is not a name for a series. Write 1 to 63 small letters, digits, ".", "_" or "-", beginning with a letter or digit.`,
  );
};

/** Without a word of the user: `nightly` when a schedule started the run, else `manual`. */
export const label: Parse<string> = (text, env) => {
  if (text === '') return env.GITHUB_EVENT_NAME === 'schedule' ? 'nightly' : 'manual';
  return normalizeLabel(text);
};

export const compression: Parse<Compression> = (text) => {
  const match = /^(zstd|gzip|lz4|none)(?::(\d{1,2}))?$/.exec(text);
  const method = match?.[1] as Compression['method'] | undefined;
  if (method === undefined || (method === 'none' && match?.[2] !== undefined)) {
    throw rejected(`${quoted(text)} is not one of zstd, gzip, lz4 (each also with a level, as in zstd:3) or none.`);
  }
  if (match?.[2] === undefined) return { method };
  const level = Number(match[2]);
  if (level < 1 || level > LEVELS[method]) {
    throw rejected(`${method} has the levels 1 to ${LEVELS[method]}, not ${level}.`);
  }
  return { method, level };
};

/** One a line; nothing given is the caller's to judge. */
export const destinations: Parse<readonly Destination[]> = (text, env) => {
  const given = lines(parseDestination)(text, env);
  const places = given.map(placeOf);
  const twice = given.find((_destination, index) => places.indexOf(placeOf(_destination)) !== index);
  if (twice !== undefined) {
    throw rejected(`${quoted(describeDestination(twice))} is given twice. A second copy needs a second place.`);
  }
  return given;
};

/** Equal for two lines that would write to the same objects. */
function placeOf(destination: Destination): string {
  if (destination.kind === 'directory') return `directory ${normalize(`${destination.path}/`)}`;
  const { bucket, prefix, endpoint = '' } = destination;
  return ['s3', endpoint, bucket, prefix].join(' ');
}

export const roleArn: Parse<string> = (text) => {
  const problem = roleArnProblem(text);
  if (problem !== undefined) throw rejected(problem);
  return text;
};

/** age1… keys; lines that begin with `#` are comments, as in age's own recipients files. None given: empty. */
export const recipients: Parse<readonly string[]> = (text, env) => {
  const withoutComments = text.replaceAll(/^[^\S\r\n]*#.*$/gm, '');
  const given = words(parseRecipient)(withoutComments, env).filter((recipient) => recipient !== undefined);
  return given.length === 0 ? [] : parseRecipients(given);
};

/** Without the line break that a secret often ends in: whoever decrypts types it without one. */
export const passphrase: Parse<string | undefined> = (text) => {
  const phrase = text.replace(/[\r\n]+$/, '');
  return phrase.trim() === '' ? undefined : checkPassphrase(phrase);
};

/** Patterns stand one a line, because a quoted name may hold a comma. Their grammar is checked, nothing looked up. */
export const tablePatterns: Parse<readonly string[]> = lines((line) => {
  parseTablePattern(line);
  return line;
});

export const schemaPatterns: Parse<readonly string[]> = lines((line) => {
  parseSchemaPattern(line);
  return line;
});

/** Something that a line of sources.list can hold; without a slash at its end. */
export const aptUri: Parse<string> = (text) => {
  const problem = 'Write where `dists` and `pool` lie, such as https://mirror.example.com/pub/repos/apt.';
  if (!URL.canParse(text) || !/^https?:\/\/[^\s[\]"'?#]+$/.test(text)) {
    throw rejected(`it is not an http or https URL without blanks, query or fragment. ${problem}`);
  }
  const { username, password } = new URL(text);
  if (username !== '' || password !== '') {
    throw rejected(
      'it holds a user or password. Put them into a file below /etc/apt/auth.conf.d on the runner (man apt_auth.conf).',
    );
  }
  return text.replace(/\/+$/, '');
};

/** ASCII-armoured; apt is the one to judge what is in it. */
export const openPgpKey: Parse<string> = (text) => {
  if (/^-----BEGIN PGP PRIVATE KEY BLOCK-----/m.test(text)) {
    throw rejected('it is a private key. Take the public one (gpg --armor --export) and treat this one as leaked.');
  }
  if (/^-----BEGIN PGP PUBLIC KEY BLOCK-----$[\s\S]*^-----END PGP PUBLIC KEY BLOCK-----$/m.test(text))
    return `${text}\n`;
  throw rejected(
    'it is not an ASCII-armoured public key, from -----BEGIN PGP PUBLIC KEY BLOCK----- to -----END PGP PUBLIC KEY BLOCK-----.',
  );
};
