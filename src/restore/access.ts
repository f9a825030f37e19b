/** The way to the target server: sessions of our own and the environment of libpq's programs, for any of its databases. */
import { type AliveParts, openSession, type WatchedSession, whileAlive } from '../backup/alive.ts';
import type { CommandContext } from '../command.ts';
import type { ConnectionRequest } from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import type { ClientTools } from '../postgres/client-tools.ts';
import { writeCredentials } from '../postgres/credentials.ts';
import { isServerAnswer } from '../postgres/session.ts';
import type { Supervisor } from '../runner/supervisor.ts';

export interface TargetAccessParts {
  /** The one host that answered, with sessions of our own. */
  connection: ConnectionRequest;
  context: CommandContext;
  supervisor: Supervisor;
  stallSeconds: number;
  connectWindowSeconds: number;
}

export class TargetAccess {
  readonly #parts: AliveParts;

  constructor(parts: TargetAccessParts) {
    this.#parts = parts;
  }

  /** For how long a session or a program may be silent before the server is asked about it. */
  get stallSeconds(): number {
    return this.#parts.stallSeconds;
  }

  /** The connection to `database`, whichever one `target-database-url` names. */
  connection(database: string): ConnectionRequest {
    return { ...this.#parts.connection, dbname: database };
  }

  /** A session named `db-backup-action <name>` in `database`. The caller ends it. */
  async open(name: string, database: string): Promise<WatchedSession> {
    return await openSession(name, { ...this.#parts, connection: this.connection(database) });
  }

  /** What `work` gives in such a session, which is ended after it; fails when the server falls silent. */
  async use<T>(name: string, database: string, work: (session: WatchedSession) => Promise<T>): Promise<T> {
    const session = await this.open(name, database);
    try {
      return await this.watch(session, database, work(session));
    } finally {
      await session.end();
    }
  }

  /** Like {@link use}, but what the server refuses is thrown without ending the whole run. */
  async attempt<T>(name: string, database: string, work: (session: WatchedSession) => Promise<T>): Promise<T> {
    const result = await this.use(name, database, (session) =>
      work(session).then(
        (value) => ({ value }),
        (refusal: unknown) => {
          if (isServerAnswer(refusal) || refusal instanceof BackupError) return { refusal };
          throw refusal;
        },
      ),
    );
    if ('refusal' in result) throw result.refusal;
    return result.value;
  }

  /** What `work` gives on an open session of `database`; fails when the server falls silent meanwhile. */
  async watch<T>(session: WatchedSession, database: string, work: Promise<T>): Promise<T> {
    return await whileAlive(session, work, { ...this.#parts, connection: this.connection(database) });
  }

  /** The whole environment of a program of libpq that works on `database`: paths of files, no secret. */
  async childEnv(tools: ClientTools, database: string): Promise<Record<string, string>> {
    const connection = this.connection(database);
    const { env } = await writeCredentials(this.#parts.context.workDir, connection, connection.hosts[0]);
    return { ...env, ...tools.env };
  }
}
