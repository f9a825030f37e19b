/** Credentials of a role, got for the runner's OIDC token and renewed for as long as they are asked for. */
import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';
import type { RoleToAssume } from '../../domain/aws-role.ts';
import { BackupError, messageOf } from '../../domain/errors.ts';
import type { Clock, Log } from '../../ports.ts';
import { withRetry } from '../retry.ts';
import { errorCodeOf, isTransient } from './errors.ts';
import { OidcRefusal, type OidcToken, requestOidcToken } from './oidc-token.ts';
import { refusedRole } from './role-refusal.ts';
import type { S3Tuning } from './tuning.ts';

/** As the SDK's own providers do (`EXPIRATION_MS` of @smithy/core). */
const RENEW_BEFORE_MS = 300_000;
/** With more than this left, a renewal goes on beside the requests; with less, they wait for it. */
const WAIT_FROM_MS = 10_000;

interface RoleCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

export interface RoleContext {
  log: Log;
  clock: Clock;
  tuning: S3Tuning;
  /** Certificates to trust, for the token service; see `trust.ts`. */
  ca: string[] | undefined;
}

/**
 * One for all clients of a connection. Each renewal uses a token of its own, because the runner's live for minutes
 * only. Credentials that cannot be renewed are used for as long as they last.
 */
export class AssumedRole {
  readonly #role: RoleToAssume;
  readonly #context: RoleContext;
  #current: { credentials: RoleCredentials; renewAt: number; expiresAt: number } | undefined;
  #pending: Promise<RoleCredentials> | undefined;
  /** When the credentials before ran out, for the words of a renewal that failed. */
  #expiredAt: number | undefined;

  constructor(role: RoleToAssume, context: RoleContext) {
    this.#role = role;
    this.#context = context;
  }

  /** For the SDK's clients; `memoized` keeps them from remembering credentials themselves. */
  readonly provide = Object.assign(() => this.#credentials(), { memoized: true });

  /** The provider does not take these credentials any more, whatever they say of themselves. */
  forget(): void {
    this.#expiredAt = this.#context.clock.now().getTime();
    this.#current = undefined;
  }

  async #credentials(): Promise<RoleCredentials> {
    const now = this.#context.clock.now().getTime();
    const current = this.#current;
    if (current !== undefined && now < current.renewAt) return current.credentials;
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined;
    });
    if (current === undefined || now >= current.expiresAt) return this.#pending;
    const renewed = this.#pending.catch((error: unknown) => {
      this.#context.log.debug(`The credentials could not be renewed yet: ${messageOf(error)}`);
      return current.credentials;
    });
    return current.expiresAt - now > WAIT_FROM_MS ? current.credentials : renewed;
  }

  async #renew(): Promise<RoleCredentials> {
    const { tuning, clock, log } = this.#context;
    const begun = clock.now().getTime();
    const expiredAt = this.#current?.expiresAt ?? this.#expiredAt;
    const credentials = await withRetry(() => this.#exchange(expiredAt), {
      policy: tuning.retry,
      clock,
      // Never: discarding an upload after a cancelled run needs credentials too, and the tries end by themselves.
      signal: new AbortController().signal,
      random: tuning.random,
      isTransient: (error) => error instanceof BackupError && error.retryable,
    });
    const expiresAt = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    const renewAt = expiresAt - Math.min(RENEW_BEFORE_MS, (expiresAt - begun) / 3);
    this.#current = { credentials, expiresAt, renewAt };
    const until = credentials.expiration?.toISOString() ?? 'for ever';
    log.debug(`Credentials of ${this.#role.arn} ${expiredAt === undefined ? 'got' : 'renewed'}, valid until ${until}.`);
    return credentials;
  }

  async #exchange(expiredAt: number | undefined): Promise<RoleCredentials> {
    const { log, tuning } = this.#context;
    let token: OidcToken | undefined;
    try {
      token = await requestOidcToken(this.#role, { log, timeoutMs: tuning.connectTimeoutMs });
      const credentials = await this.#assume(token.text);
      log.mask(credentials.secretAccessKey);
      log.mask(credentials.sessionToken ?? '');
      return credentials;
    } catch (error) {
      throw refusedRole(error, {
        role: this.#role,
        subject: token?.subject,
        expiredAt,
        retryable: mayPass(error),
      });
    }
  }

  #assume(webIdentityToken: string): Promise<RoleCredentials> {
    const { tuning, ca } = this.#context;
    const { arn: roleArn, sessionName: roleSessionName, region, endpoint } = this.#role;
    const { connectTimeoutMs: connectionTimeout, stallTimeoutMs: socketTimeout } = tuning;
    const requestHandler = { connectionTimeout, socketTimeout, ...(ca === undefined ? {} : { httpsAgent: { ca } }) };
    const clientConfig = { region, requestHandler, maxAttempts: 1, ...(endpoint === undefined ? {} : { endpoint }) };
    return fromWebToken({ roleArn, roleSessionName, webIdentityToken, clientConfig })();
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof OidcRefusal) return error.retryable;
  // STS could not fetch GitHub's keys (STS API reference, AssumeRoleWithWebIdentity, "Errors").
  return isTransient(error) || /^IDPCommunicationError/.test(errorCodeOf(error));
}
