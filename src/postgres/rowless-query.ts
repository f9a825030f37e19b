/** What the driver asks of a query object. Its own would keep every row of every statement; this one keeps none. */
import type pg from 'pg';

export class RowlessQuery {
  readonly #text: string;
  readonly #end = Promise.withResolvers<void>();

  /** @param text goes to the server as one simple query, whatever number of statements it holds */
  constructor(text: string) {
    this.#text = text;
  }

  /** Settles when the server is ready for the next query; rejects with its error, or with what ended the session. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#text);
  }

  handleReadyForQuery(): void {
    this.#end.resolve();
  }

  handleError(error: unknown): void {
    this.#end.reject(error);
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleCommandComplete(): void {}

  handleEmptyQuery(): void {}

  handleCopyData(): void {}
}
