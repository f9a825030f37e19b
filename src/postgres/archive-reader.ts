/**
 * Reads the plain output of `pg_restore -f -` while it streams and reports what the archive holds: the digest of
 * every table's rows, of every definition and large object, and the values of sequences (docs/format.md).
 */
import type { ArchivedRelation, ArchivedSequence, ArchivedTable, ArchiveReport } from '../domain/archive-report.ts';
import { displayName, type QualifiedName, relationKey } from '../domain/relations.ts';
import { type DecodeText, decoderFor } from './archive/client-encoding.ts';
import { Definitions } from './archive/definitions.ts';
import { parseEntryHeader } from './archive/entry-header.ts';
import { LargeObjects } from './archive/large-objects.ts';
import { notProven } from './archive/not-proven.ts';
import { SqlLexer } from './archive/sql-lexer.ts';
import { StatementText } from './archive/statement-text.ts';
import {
  type CopyStatement,
  parseCopy,
  parseCreatedRelation,
  parseExtension,
  parseIdentitySequence,
  parseSet,
  parseSetval,
} from './archive/statements.ts';
import { RowsDigester } from './digest/rows-digester.ts';

const NEWLINE = 0x0a;
/** Enough for the name in a CREATE or ALTER statement: five parts of 63 bytes, doubled quotes and the words between them. */
const BEGINNING_BYTES = 2048;
const STATE_CHANGE = /^(SET|RESET) |^SELECT pg_catalog\.set_config\(/;
const LAST_LINE = ' PostgreSQL database dump complete';
/** pg_dump's remark on a partition whose rows must go in through the root: hash partitions by an enum. */
const VIA_ROOT = ' load via partition root ';
const META_COMMAND = /^(un)?restrict /;
/** Statements that must be read whole; no client writes them longer than can be kept. */
const NEVER_LONG = /^(COPY|SET|RESET|INSERT) |^SELECT pg_catalog\.(lo|set)/;
const SHOWN_BYTES = 120;

/** Definitions may be of any size; rows too. Memory grows with the number of objects alone. */
export class ArchiveReader {
  readonly #lexer = new SqlLexer((part) => this.#statementPart(part));
  readonly #statement = new StatementText();
  readonly #definitions = new Definitions();
  readonly #largeObjects = new LargeObjects();
  readonly #rows = new RowsDigester();
  readonly #tables = new Map<string, ArchivedTable>();
  readonly #sequences = new Map<string, ArchivedSequence>();
  readonly #relations = new Map<string, ArchivedRelation>();
  readonly #extensions = new Set<string>();
  #decode: DecodeText = decoderFor('UTF8') as DecodeText;
  #mode: 'sql' | 'before-rows' | 'rows' = 'sql';
  #copy: CopyStatement | undefined;
  #viaRoot = false;
  #complete = false;
  #offset = 0;

  /** Reads the next bytes, cut anywhere. Throws `ERR_NOT_PROVEN` for whatever cannot be taken apart. */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      if (this.#mode === 'rows') at = this.#readRows(bytes, at);
      else if (this.#mode === 'sql') at = this.#readSql(bytes, at);
      else at = this.#readLineEnd(bytes, at);
    }
    this.#offset += bytes.length;
  }

  /** What was read. Throws `ERR_NOT_PROVEN` when the input ends before the archive does. */
  end(): ArchiveReport {
    if (this.#copy !== undefined) {
      throw notProven(`The input ends inside the rows of ${displayName(this.#copy.table)}`, this.#offset);
    }
    this.#lexer.end(this.#offset);
    if (!this.#complete) throw notProven("The input ends before pg_restore's closing line", this.#offset);
    return {
      tables: [...this.#tables.values()],
      sequences: [...this.#sequences.values()],
      largeObjects: this.#largeObjects.finish(this.#offset),
      objects: this.#definitions.finish(),
      relations: [...this.#relations.values()],
      extensions: [...this.#extensions],
      plainBytes: this.#offset,
    };
  }

  #readRows(bytes: Buffer, from: number): number {
    const at = this.#rows.feed(bytes, from);
    if (!this.#rows.ended || this.#copy === undefined) return at;
    const { rows, digest, bytes: size } = this.#rows.finish();
    const { table, columns } = this.#copy;
    this.#tables.set(relationKey(table), { ...table, columns, rows, digest, bytes: size });
    this.#copy = undefined;
    this.#mode = 'sql';
    return at;
  }

  /** psql ignores the rest of the line behind `FROM stdin;`; no client writes anything there. */
  #readLineEnd(bytes: Buffer, at: number): number {
    if (bytes[at] !== NEWLINE) throw notProven('A COPY statement is not the end of its line', this.#offset + at);
    this.#rows.reset();
    this.#mode = 'rows';
    return at + 1;
  }

  #readSql(bytes: Buffer, from: number): number {
    const at = this.#lexer.feed(bytes, from, this.#offset);
    const offset = this.#offset + at;
    if (this.#lexer.event === 'statement') {
      this.#endStatement(offset);
      this.#statement.clear();
    }
    if (this.#lexer.event === 'comment') this.#comment(this.#text(this.#lexer.line, offset));
    if (this.#lexer.event === 'meta-command') {
      const line = this.#lexer.line.toString('latin1');
      if (!META_COMMAND.test(line)) throw notProven(`Unknown meta-command \\${line.slice(0, SHOWN_BYTES)}`, offset);
    }
    return at;
  }

  #comment(line: string): void {
    const header = parseEntryHeader(line);
    if (header !== undefined) {
      this.#definitions.begin(header);
      this.#viaRoot = false;
    } else if (line.startsWith(VIA_ROOT)) this.#viaRoot = true;
    else if (line === LAST_LINE) this.#complete = true;
  }

  #statementPart(part: Uint8Array): void {
    const wasLong = this.#statement.isLong;
    if (this.#statement.append(part)) return;
    if (!wasLong) this.#definitions.include(this.#statement.head);
    this.#definitions.include(part);
  }

  #endStatement(offset: number): void {
    const beginning = this.#statement.head.toString('latin1', 0, 40);
    if (this.#statement.isLong) this.#endLongStatement(beginning, offset);
    else if (STATE_CHANGE.test(beginning)) {
      if (beginning.startsWith('SET ')) this.#setting(offset);
      this.#definitions.hold(this.#statement.head);
    } else if (beginning.startsWith('COPY ')) this.#beginCopy(offset);
    else if (beginning.startsWith('SELECT pg_catalog.setval(')) this.#setval(offset);
    else if (this.#definitions.entry.isData && beginning.startsWith('INSERT ')) throw this.#unreadable(offset);
    else {
      this.#largeObjects.take(this.#statement.head, offset);
      this.#name(beginning, offset);
      this.#definitions.include(this.#statement.head);
      this.#definitions.endStatement();
    }
  }

  /** Its bytes are in the digest already. */
  #endLongStatement(beginning: string, offset: number): void {
    if (NEVER_LONG.test(beginning)) throw this.#unreadable(offset);
    this.#name(beginning, offset);
    this.#definitions.endStatement();
  }

  #setting(offset: number): void {
    const text = this.#statement.head.toString('latin1');
    const standardStrings = parseSet(text, 'standard_conforming_strings');
    if (standardStrings !== undefined) this.#lexer.standardStrings = standardStrings.toLowerCase() === 'on';
    const encoding = parseSet(text, 'client_encoding');
    if (encoding === undefined) return;
    const decode = decoderFor(encoding);
    if (decode === undefined) {
      throw notProven(`The archive is written in ${encoding}, in which SQL cannot be told from text`, offset);
    }
    this.#decode = decode;
  }

  #beginCopy(offset: number): void {
    const copy = parseCopy(this.#text(this.#statement.head, offset), this.#lexer.standardStrings);
    if (copy === undefined) throw this.#unreadable(offset);
    const table = this.#viaRoot ? this.#partition(offset) : copy.table;
    if (this.#tables.has(relationKey(table))) {
      throw notProven(`The archive holds the rows of ${displayName(table)} twice`, offset);
    }
    this.#copy = { table, columns: copy.columns };
    this.#viaRoot = false;
    this.#mode = 'before-rows';
  }

  /**
   * The COPY statement names the root; only the header names the partition whose rows these are, with line
   * breaks written as spaces. The archive's own definitions, which came before, have the name as it is.
   */
  #partition(offset: number): QualifiedName {
    const { schema, name } = this.#definitions.entry;
    const alike = [...this.#relations.values()].filter(
      (relation) => oneLine(relation.schema) === schema && oneLine(relation.name) === name,
    );
    if (alike.length > 1) throw notProven(`Several tables could be the partition ${schema}.${name}`, offset);
    return { schema: alike[0]?.schema ?? schema, name: alike[0]?.name ?? name };
  }

  #setval(offset: number): void {
    const sequence = parseSetval(this.#text(this.#statement.head, offset), this.#lexer.standardStrings);
    if (sequence === undefined) throw this.#unreadable(offset);
    const key = relationKey(sequence);
    if (this.#sequences.has(key)) {
      throw notProven(`The archive holds the value of ${displayName(sequence)} twice`, offset);
    }
    this.#sequences.set(key, sequence);
  }

  /** Notes what a CREATE statement creates. */
  #name(beginning: string, offset: number): void {
    const isCreate = beginning.startsWith('CREATE ');
    if (!isCreate && !beginning.startsWith('ALTER TABLE ')) return;
    const text = this.#text(this.#statement.head.subarray(0, BEGINNING_BYTES), offset);
    const extension = isCreate ? parseExtension(text) : undefined;
    if (extension !== undefined) this.#extensions.add(extension);
    const relation = isCreate ? parseCreatedRelation(text) : parseIdentitySequence(text);
    if (relation !== undefined) this.#relations.set(relationKey(relation), relation);
  }

  #text(bytes: Uint8Array, offset: number): string {
    try {
      return this.#decode(bytes);
    } catch (error) {
      throw notProven(error instanceof Error ? error.message : String(error), offset);
    }
  }

  #unreadable(offset: number): Error {
    const beginning = this.#statement.head.toString('latin1', 0, SHOWN_BYTES).replaceAll(/\s+/g, ' ');
    return notProven(`A statement cannot be taken apart: ${beginning}`, offset);
  }
}

function oneLine(name: string): string {
  return name.replaceAll(/[\r\n]/g, ' ');
}
