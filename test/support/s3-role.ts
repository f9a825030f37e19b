/**
 * A runner's OIDC service and a token service for `aws-role-to-assume`, and a gateway that takes what they give out:
 * it checks signature, session token and expiry, and signs anew for the server behind, which knows no sessions.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { type Gateway, type GatewayRequest, type Refusal, startGateway } from './s3-gateway.ts';
import type { S3Server } from './s3-servers.ts';

export const ROLE_ARN = 'arn:aws:iam::123456789012:role/backup';
export const SUBJECT = 'repo:acme@11/app@22:ref:refs/heads/main';

export interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiresAt: number;
}

const BEARER = 'runner-request-token-0123456789';

/** All of it, with what it gave out so far. */
export class RoleRig {
  /** Sessions given out, in order. */
  readonly sessions: Session[] = [];
  /** OIDC tokens given out, in order. */
  readonly oidcTokens: string[] = [];
  /** Requests for OIDC tokens, refused ones included. */
  oidcRequests = 0;
  /** Requests that came with an expired session. */
  readonly expired: GatewayRequest[] = [];
  /** How long sessions live that are given out from now on. */
  lifetimeMs = 3_600_000;
  /** The answer of the token service instead of a session. */
  refusal: Refusal | undefined;
  /** The HTTP status of the OIDC service instead of a token. */
  oidcStatus: number | undefined;
  declare gateway: Gateway;
  readonly #server: S3Server;
  readonly #services = createServer((request, response) => {
    void this.#answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });

  constructor(server: S3Server) {
    this.#server = server;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#services.listen(0, '127.0.0.1', resolve));
    this.gateway = await startGateway(this.#server, {
      judge: (request) => this.#judge(request),
      rewrite: (request) => this.#signAnew(request),
    });
    return this;
  }

  /** What the runner and `AWS_ENDPOINT_URL_STS` put into the step's environment. */
  get env(): Record<string, string> {
    const base = `http://127.0.0.1:${(this.#services.address() as AddressInfo).port}`;
    return {
      AWS_REGION: this.#server.region,
      AWS_ENDPOINT_URL_STS: base,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${base}/oidc?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: BEARER,
    };
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await new Promise<void>((resolve) => {
      this.#services.close(() => resolve());
      this.#services.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage): Promise<ServiceAnswer> {
    const url = new URL(request.url ?? '/', 'http://services');
    if (url.pathname === '/oidc') return this.#giveToken(request.headers.authorization, url.searchParams);
    return this.#giveSession(await bodyOf(request));
  }

  #giveToken(authorization: string | undefined, query: URLSearchParams): ServiceAnswer {
    this.oidcRequests += 1;
    if (this.oidcStatus !== undefined) return { status: this.oidcStatus, body: '{"message":"no"}' };
    const rightful = authorization === `Bearer ${BEARER}` && query.get('api-version') === '2.0';
    if (!rightful || query.get('audience') !== 'sts.amazonaws.com') return { status: 401, body: '{}' };
    const claims = { sub: SUBJECT, aud: 'sts.amazonaws.com', jti: this.oidcTokens.length };
    const parts = ['{"alg":"RS256"}', JSON.stringify(claims), randomBytes(32)];
    const value = parts.map((part) => Buffer.from(part as string).toString('base64url')).join('.');
    this.oidcTokens.push(value);
    return { status: 200, body: JSON.stringify({ value }) };
  }

  /** Each OIDC token is good for one session. */
  #giveSession(body: URLSearchParams): ServiceAnswer {
    const fresh =
      body.get('WebIdentityToken') === this.oidcTokens.at(-1) && this.sessions.length < this.oidcTokens.length;
    const known = fresh && body.get('Action') === 'AssumeRoleWithWebIdentity' && body.get('RoleArn') === ROLE_ARN;
    const refusal =
      this.refusal ?? (known ? undefined : { status: 400, code: 'InvalidIdentityToken', message: 'stale' });
    if (refusal !== undefined) return { status: refusal.status, body: stsError(refusal) };
    const session = {
      accessKeyId: `ASIATEMP${randomBytes(6).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(120).toString('base64'),
      expiresAt: Date.now() + this.lifetimeMs,
    };
    this.sessions.push(session);
    return { status: 200, body: stsAnswer(session) };
  }

  #sessionOf({ headers }: GatewayRequest): Session | undefined {
    return this.sessions.find(({ sessionToken }) => sessionToken === headers['x-amz-security-token']);
  }

  #judge(request: GatewayRequest): Refusal | undefined {
    const session = this.#sessionOf(request);
    if (session === undefined) return { status: 403, code: 'InvalidAccessKeyId', message: 'unknown session' };
    if (session.expiresAt > Date.now()) return undefined;
    this.expired.push(request);
    return { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' };
  }

  async #signAnew(request: GatewayRequest): Promise<IncomingHttpHeaders> {
    const { region } = this.#server;
    await assertSigned(request, this.#sessionOf(request) as Session, region);
    const { 'x-amz-security-token': _token, authorization: _old, ...headers } = request.headers;
    const names = signedNames(request).filter((name) => name !== 'x-amz-security-token');
    const { accessKeyId, secretAccessKey } = this.#server;
    return sign({ ...request, headers }, { accessKeyId, secretAccessKey }, region, names);
  }
}

export function startRoleRig(server: S3Server): Promise<RoleRig> {
  return new RoleRig(server).start();
}

interface ServiceAnswer {
  status: number;
  body: string;
}

interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Throws when the signature is not that of the session's secret. */
async function assertSigned(request: GatewayRequest, session: Session, region: string): Promise<void> {
  const { authorization, ...headers } = request.headers;
  const expected = await sign({ ...request, headers }, session, region, signedNames(request));
  if (expected.authorization !== authorization) throw new Error('the signature is wrong');
}

function signedNames({ headers }: GatewayRequest): string[] {
  return /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
}

/** The headers with a signature over those named, made by the SDK's own signer. */
async function sign(
  request: GatewayRequest,
  keys: Keys,
  region: string,
  names: string[],
): Promise<IncomingHttpHeaders> {
  const client = new S3Client({ region, credentials: keys });
  const scheme = { name: 'sigv4', signingName: 's3', signingRegion: region, schemeId: 'aws.auth#sigv4' } as const;
  const signer = await client.config.signer(scheme as never);
  const [, date = ''] = /^(\d{8}T\d{6}Z)$/.exec(String(request.headers['x-amz-date'])) ?? [];
  const signingDate = new Date(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
  const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name])]));
  const unsigned = {
    method: request.method,
    protocol: 'http:',
    hostname: '127.0.0.1',
    path: decodeURI(request.path),
    query: Object.fromEntries(request.query),
    headers,
  };
  const signed = await signer.sign(unsigned as never, { signingDate });
  client.destroy();
  return { ...request.headers, ...lowerCase(signed.headers as Record<string, string>) };
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

async function bodyOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return new URLSearchParams(text);
}

function stsAnswer({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: Session): string {
  const fields = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken };
  const expiration = `<Expiration>${new Date(expiresAt).toISOString()}</Expiration>`;
  const values = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
  const credentials = `<Credentials>${values.join('')}${expiration}</Credentials>`;
  const user = `<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/backup/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>`;
  const name = 'AssumeRoleWithWebIdentity';
  return `<${name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${name}Result>${credentials}${user}</${name}Result></${name}Response>`;
}

function stsError({ code, message }: Refusal): string {
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
}
