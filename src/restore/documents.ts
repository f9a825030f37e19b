/** contents.json and globals.sql of a set, checked and decrypted. */
import type { DecryptionKeys } from '../crypto/decryption.ts';
import { type Contents, parseContents } from '../domain/contents.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { ManifestObject } from '../domain/manifest.ts';
import { fromFirstWhole } from './copies.ts';
import type { SelectedSet, SetCopy } from './selected.ts';
import type { ReadParts } from './stored-bytes.ts';
import { objectOf, type PlainFacts, readVerified } from './verified-read.ts';

export interface SetDocuments {
  contents: Contents;
  /** SQL that creates roles and tablespaces; absent when the backup was made without. */
  globals?: string;
  /** Copies that were passed over. */
  findings: Finding[];
}

/**
 * Reads both, each from the first destination that holds it whole. Throws `ERR_BACKUP_DAMAGED` when none does,
 * `ERR_DECRYPT` when no key fits, `ERR_MANIFEST` when contents.json was written by a newer version.
 */
export async function readDocuments(
  set: SelectedSet,
  keys: DecryptionKeys | undefined,
  parts: ReadParts,
): Promise<SetDocuments> {
  const { name } = objectOf(set.copies[0], 'contents');
  const read = await fromFirstWhole(set, name, parts.signal, async (copy) => {
    const text = await readText(copy, objectOf(copy, 'contents'), keys, parts);
    return contentsOf(text, copy);
  });
  const globals = set.manifest.objects.find(({ role }) => role === 'globals');
  if (globals === undefined) return { contents: read.value, findings: read.findings };
  const plain = plainFactsOf(read.value, globals);
  const roles = await fromFirstWhole(set, globals.name, parts.signal, (copy) =>
    readText(copy, objectOf(copy, 'globals'), keys, parts, plain),
  );
  return { contents: read.value, globals: roles.value, findings: [...read.findings, ...roles.findings] };
}

/** Of an object's plain bytes. Throws `ERR_BACKUP_DAMAGED`: without them nothing could be checked after decryption. */
export function plainFactsOf(contents: Contents, object: Pick<ManifestObject, 'name'>): PlainFacts {
  const facts = contents.plainObjects.find(({ name }) => name === object.name);
  if (facts !== undefined) return facts;
  throw new BackupError('ERR_BACKUP_DAMAGED', `contents.json of ${contents.id} says nothing about ${object.name}`, {
    op: 'check a stored object',
    hint: 'Nothing was restored and nothing was touched. Choose another backup of the series.',
  });
}

/** Bytes that are as they were written, and cannot be read, are so everywhere: that is thrown at once. */
function contentsOf(text: string, copy: SetCopy): Contents {
  const contents = parseContents(text);
  if (contents.id === copy.manifest.id) return contents;
  throw new BackupError('ERR_STORED_DIFFERS', `contents.json in ${copy.uri} is that of ${contents.id}`, {
    op: 'read contents.json',
    hint: 'Somebody put objects of one backup into the folder of another. Take another backup of the series.',
  });
}

async function readText(
  copy: SetCopy,
  object: ManifestObject,
  keys: DecryptionKeys | undefined,
  parts: ReadParts,
  plain?: PlainFacts,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  const request = { copy, object, keys, ...(plain === undefined ? {} : { plain }) };
  for await (const piece of readVerified(request, parts)) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
