/** Collects a digest of every entry's definition: SHA-256 of its statements, whatever their length. */
import { createHash, type Hash } from 'node:crypto';
import type { ArchivedObject } from '../../domain/archive-report.ts';
import type { EntryHeader } from './entry-header.ts';

/** Owners and creation of large objects: one entry each up to major 16, so one digest for all of a type. */
const LARGE_OBJECT_TYPES = new Set(['BLOB', 'BLOB METADATA']);
const LARGE_OBJECT_TAG = /^LARGE OBJECTS? \d+(\.\.\d+)?$/;
/** What stands before the first header belongs to no object; no client writes a definition there. */
const PREAMBLE: EntryHeader = { type: 'PREAMBLE', schema: '-', name: '-', isData: false };

/**
 * The digest of an entry covers its statements, each from its first byte to its semicolon and followed by a
 * newline: no comments between them, no blank lines. Statements that only set the session's state count when
 * another statement of the same entry follows, so that those which `pg_restore` writes between entries do not.
 * Entries without such statements (values of sequences, rows) are no definitions. What a name can forge is only
 * the label under which a digest stands: no definition is lost by it.
 */
export class Definitions {
  readonly #digests = new Map<string, { header: EntryHeader; digests: string[] }>();
  readonly #shared = new Map<string, { header: EntryHeader; hash: Hash }>();
  #entry: EntryHeader = PREAMBLE;
  #hash: Hash = createHash('sha256');
  #hasStatements = false;
  #held: Uint8Array[] = [];

  get entry(): EntryHeader {
    return this.#entry;
  }

  /** Closes the entry under way and begins the next. */
  begin(header: EntryHeader): void {
    this.#close();
    this.#entry = header;
    this.#hash = this.#sharedHash(header) ?? createHash('sha256');
    this.#hasStatements = false;
    this.#held = [];
  }

  /** A part of a statement, in order. The bytes may be reused afterwards. */
  include(part: Uint8Array): void {
    for (const held of this.#held) this.#hash.update(held).update('\n');
    this.#held = [];
    this.#hash.update(part);
    this.#hasStatements = true;
  }

  /** The statement whose parts were included is complete. */
  endStatement(): void {
    this.#hash.update('\n');
  }

  /** A whole statement that only sets the session's state. */
  hold(statement: Uint8Array): void {
    this.#held.push(Uint8Array.from(statement));
  }

  /** All definitions, sorted by type, schema and name. */
  finish(): ArchivedObject[] {
    this.#close();
    const shared = [...this.#shared.values()].map(({ header, hash }) => ({ header, digests: [hash.digest('hex')] }));
    return [...this.#digests.values(), ...shared]
      .map(({ header: { type, schema, name }, digests }) => ({ type, schema, name, digests: digests.sort() }))
      .sort((a, b) => compare(a.type, b.type) || compare(a.schema, b.schema) || compare(a.name, b.name));
  }

  #close(): void {
    const { type, schema, name, isData } = this.#entry;
    if (isData || !this.#hasStatements || isLargeObject(this.#entry)) return;
    const key = `${type}\0${schema}\0${name}`;
    const known = this.#digests.get(key);
    const digest = this.#hash.digest('hex');
    if (known === undefined) this.#digests.set(key, { header: this.#entry, digests: [digest] });
    else known.digests.push(digest);
  }

  #sharedHash(header: EntryHeader): Hash | undefined {
    if (!isLargeObject(header)) return undefined;
    const known = this.#shared.get(header.type);
    if (known !== undefined) return known.hash;
    const hash = createHash('sha256');
    this.#shared.set(header.type, { header: { ...header, schema: '-', name: 'LARGE OBJECTS' }, hash });
    return hash;
  }
}

function isLargeObject(header: EntryHeader): boolean {
  return !header.isData && (LARGE_OBJECT_TYPES.has(header.type) || LARGE_OBJECT_TAG.test(header.name));
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
