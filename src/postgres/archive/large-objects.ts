/** Large objects of an archive: `lo_open`, `lowrite` and `lo_close` between the entries' comments. */
import { createHash, type Hash } from 'node:crypto';
import type { ArchivedLargeObjects } from '../../domain/archive-report.ts';
import { countOf, formatCount } from '../../domain/words.ts';
import { RowsDigester } from '../digest/rows-digester.ts';
import { notProven } from './not-proven.ts';

const CREATE = /^SELECT pg_catalog\.lo_create\('(\d+)'\);$/;
const OPEN = /^SELECT pg_catalog\.lo_open\('(\d+)', \d+\);$/;
const CLOSE = /^SELECT pg_catalog\.lo_close\(0\);$/;
/** The second backslash is there when `standard_conforming_strings` is off. */
const WRITE = /^SELECT pg_catalog\.lowrite\(0, '\\\\?x/;
const WRITE_END = "');";

/** Takes the statements about large objects and digests each object as a row `oid TAB sha256`. */
export class LargeObjects {
  readonly #rows = new RowsDigester();
  #current: { oid: string; hash: Hash } | undefined;
  #count = 0;
  #bytes = 0;
  readonly #created = new OidTally();
  readonly #written = new OidTally();

  /**
   * Takes `statement` when it is one of `lo_create`, `lo_open`, `lowrite`, `lo_close`; else returns false.
   * Throws `ERR_NOT_PROVEN` when it cannot be taken apart or comes out of turn.
   */
  take(statement: Buffer, offset: number): boolean {
    const head = statement.toString('latin1', 0, 128);
    if (!head.startsWith('SELECT pg_catalog.lo')) return false;
    const write = WRITE.exec(head);
    if (write !== null) this.#write(statement, write[0].length, offset);
    else if (!this.#control(head, offset)) return false;
    return true;
  }

  #control(head: string, offset: number): boolean {
    const created = CREATE.exec(head)?.[1];
    if (created !== undefined) {
      this.#created.add(created);
      return true;
    }
    const opened = OPEN.exec(head)?.[1];
    if (opened !== undefined) {
      if (this.#current !== undefined) throw notProven(`Large object ${this.#current.oid} does not end`, offset);
      this.#current = { oid: opened, hash: createHash('sha256') };
      return true;
    }
    if (CLOSE.test(head)) {
      this.#close(offset);
      return true;
    }
    if (/^SELECT pg_catalog\.(lo_|lowrite)/.test(head)) {
      throw notProven(`A statement about large objects cannot be taken apart: ${head.slice(0, 80)}`, offset);
    }
    return false;
  }

  #write(statement: Buffer, from: number, offset: number): void {
    const current = this.#current;
    if (current === undefined) throw notProven('Bytes of a large object come before its number', offset);
    const end = statement.length - WRITE_END.length;
    const bytes = Buffer.from(statement.toString('latin1', from, end), 'hex');
    if (bytes.length * 2 !== end - from || statement.toString('latin1', end) !== WRITE_END) {
      throw notProven(`Bytes of large object ${current.oid} are not hexadecimal`, offset);
    }
    current.hash.update(bytes);
    this.#bytes += bytes.length;
  }

  #close(offset: number): void {
    const current = this.#current;
    if (current === undefined) throw notProven('A large object ends that did not begin', offset);
    this.#rows.feedRows(Buffer.from(`${current.oid}\t${current.hash.digest('hex')}\n`, 'latin1'));
    this.#written.add(current.oid);
    this.#count += 1;
    this.#current = undefined;
  }

  /** Throws `ERR_NOT_PROVEN` when an object is open, or when not exactly those that were created were written. */
  finish(offset: number): ArchivedLargeObjects {
    if (this.#current !== undefined) throw notProven(`Large object ${this.#current.oid} does not end`, offset);
    if (!this.#created.isEmpty && !this.#created.equals(this.#written)) {
      throw notProven(
        `The archive creates ${countOf(this.#created.count, 'large object')} and holds the bytes of ${formatCount(this.#written.count)}`,
        offset,
      );
    }
    return { count: this.#count, bytes: this.#bytes, digest: this.#rows.finish().digest };
  }
}

/** Compares two sets of oids that may be too large to hold: their number and two sums. */
class OidTally {
  count = 0;
  #sum = 0n;
  #squares = 0n;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  add(oid: string): void {
    const value = BigInt(oid);
    this.count += 1;
    this.#sum += value;
    this.#squares += value * value;
  }

  equals(other: OidTally): boolean {
    return this.count === other.count && this.#sum === other.#sum && this.#squares === other.#squares;
  }
}
