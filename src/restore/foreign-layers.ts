/** Takes compression and encryption off a dump made by other means, whatever its name says. */
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type DecryptionKeys, openDecryption } from '../crypto/decryption.ts';
import { DUMP_HEAD_BYTES, type DumpFormat, type DumpLayer, recogniseDump } from '../domain/dump-format.ts';
import { BackupError } from '../domain/errors.ts';
import { decryptWithGpg, type GpgParts } from './gpg.ts';
import { FrameCutter } from './zstd-frames.ts';

/** An encrypted, compressed dump has two; more is no dump but a riddle. */
const MOST_LAYERS = 4;

export interface PeeledDump {
  format: DumpFormat;
  /** From the outside in. */
  layers: readonly DumpLayer[];
  /** The first bytes of the dump itself. */
  head: Buffer;
  /** All of it, the head included. To be read once; whoever stops early ends everything behind it. */
  bytes: AsyncGenerator<Uint8Array>;
}

/**
 * Reads as much as shows what `source` is. Throws `ERR_INPUT` when it is no dump, `ERR_DECRYPT` when it cannot be
 * decrypted, `ERR_BACKUP_DAMAGED` when what packs it is damaged; `bytes` throws the last two as well.
 */
export async function peelDump(
  source: AsyncGenerator<Uint8Array>,
  name: string,
  keys: DecryptionKeys | undefined,
  parts: GpgParts,
): Promise<PeeledDump> {
  const layers: DumpLayer[] = [];
  let bytes = source;
  for (;;) {
    const { head, all } = await peek(bytes);
    bytes = all;
    const found = recogniseDump(head);
    if (found.kind === 'dump') return { format: found.format, layers, head, bytes };
    if (found.kind === 'other' || layers.length === MOST_LAYERS) {
      await bytes.return(undefined);
      throw notADump(name, layers, found.kind === 'other' ? found.why : 'is packed too many times');
    }
    layers.push(found.layer);
    bytes = takeOff(found.layer, bytes, name, keys, parts);
  }
}

async function peek(source: AsyncGenerator<Uint8Array>) {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let done = false;
  while (size < DUMP_HEAD_BYTES && !done) {
    const step = await source.next();
    done = step.done === true;
    if (step.done === true) break;
    pieces.push(step.value);
    size += step.value.byteLength;
  }
  return { head: Buffer.concat(pieces).subarray(0, DUMP_HEAD_BYTES), all: chain(pieces, source) };
}

async function* chain(pieces: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function takeOff(
  layer: DumpLayer,
  source: AsyncGenerator<Uint8Array>,
  name: string,
  keys: DecryptionKeys | undefined,
  parts: GpgParts,
): AsyncGenerator<Uint8Array> {
  switch (layer) {
    case 'age':
      return decryptAge(source, name, keys);
    case 'gpg':
      return decryptWithGpg(source, name, keys, parts);
    case 'gzip':
      return unpacked(source, createGunzip(), name);
    case 'zstd':
      return unpacked(cutAtFrames(source), createZstdDecompress(), name);
  }
}

async function* decryptAge(source: AsyncIterable<Uint8Array>, name: string, keys: DecryptionKeys | undefined) {
  if (keys === undefined) {
    throw new BackupError('ERR_DECRYPT', `${name} is encrypted with age, and nothing to decrypt it with was given`, {
      op: 'decrypt',
      hint: 'Give the secret key in `age-identity`, or the passphrase in `age-passphrase`, from a secret.',
    });
  }
  const decryption = openDecryption(keys, { name });
  try {
    for await (const chunk of source) yield* await decryption.update(chunk);
    yield* await decryption.final();
  } catch (error) {
    throw error instanceof BackupError && error.code === 'ERR_STORED_DIFFERS' ? damaged(error.message, error) : error;
  }
}

async function* cutAtFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const cutter = new FrameCutter();
  for await (const chunk of source) yield* cutter.push(chunk);
}

async function* unpacked(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  name: string,
): AsyncGenerator<Uint8Array> {
  // In object mode no two chunks are joined on their way: the cuts between frames must arrive.
  pipeline(Readable.from(source), transform, () => undefined);
  try {
    yield* transform as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof BackupError) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') throw damaged(`${name} is cut short: its end is missing`, error);
    if (/^(Z|ZSTD)_/i.test(code)) throw damaged(`${name} cannot be unpacked: its bytes were changed (${code})`, error);
    throw error;
  }
}

/** The only copy that was named is not whole. */
export function damaged(message: string, cause?: unknown): BackupError {
  return new BackupError('ERR_BACKUP_DAMAGED', message, {
    op: 'read the dump',
    hint: 'Nothing was restored and nothing was touched. Fetch the dump again, or choose another one.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function notADump(name: string, layers: readonly DumpLayer[], why: string): BackupError {
  const inside = layers.length === 0 ? name : `What is inside ${name} (${layers.join(', then ')})`;
  return new BackupError('ERR_INPUT', `${inside} ${why}.`, {
    op: 'recognise the dump',
    hint: 'Give an archive of pg_dump (custom, tar or a folder in directory format) or a plain SQL dump of one database; gzip, zstd, age and gpg around it are taken off.',
  });
}
