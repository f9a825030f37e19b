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

export interface RoleRig {
  readonly gateway: Gateway;
  /** What the runner and `AWS_ENDPOINT_URL_STS` put into the step's environment. */
  readonly env: Record<string, string>;
  /** Sessions given out, in order. */
  readonly sessions: Session[];
  /** OIDC tokens given out, in order. */
  readonly oidcTokens: string[];
  /** Requests that came with an expired session. */
  readonly expired: GatewayRequest[];
  /** How long sessions live that are given out from now on. */
  lifetimeMs: number;
  /** The answer of the token service instead of a session. */
  refusal: Refusal | undefined;
  /** The HTTP status of the OIDC service instead of a token. */
  oidcStatus: number | undefined;
  close(): Promise<void>;
}

const BEARER = 'runner-request-token-0123456789';

export async function startRoleRig(server: S3Server): Promise<RoleRig> {
  const sessions: Session[] = [];
  const oidcTokens: string[] = [];
  const expired: GatewayRequest[] = [];
  const services = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://services');
    const reply = (status: number, body: string): void => void response.writeHead(status).end(body);
    if (url.pathname === '/oidc') giveToken(request, url, reply);
    else bodyOf(request).then((body) => giveSession(body, reply));
  });
  const giveToken = (request: IncomingMessage, url: URL, reply: (status: number, body: string) => void): void => {
    if (rig.oidcStatus !== undefined) return reply(rig.oidcStatus, '{"message":"no"}');
    const rightful =
      request.headers.authorization === `Bearer ${BEARER}` && url.searchParams.get('api-version') === '2.0';
    if (!rightful || url.searchParams.get('audience') !== 'sts.amazonaws.com') return reply(401, '{}');
    const claims = { sub: SUBJECT, aud: 'sts.amazonaws.com', jti: oidcTokens.length };
    const token = ['{"alg":"RS256"}', JSON.stringify(claims), randomBytes(32)].map((part) => base64url(part)).join('.');
    oidcTokens.push(token);
    reply(200, JSON.stringify({ value: token }));
  };
  const giveSession = (body: URLSearchParams, reply: (status: number, body: string) => void): void => {
    const fresh = body.get('WebIdentityToken') === oidcTokens.at(-1) && sessions.length < oidcTokens.length;
    const known = fresh && body.get('Action') === 'AssumeRoleWithWebIdentity' && body.get('RoleArn') === ROLE_ARN;
    const refusal =
      rig.refusal ?? (known ? undefined : { status: 400, code: 'InvalidIdentityToken', message: 'not fresh' });
    if (refusal !== undefined) return reply(refusal.status, stsError(refusal));
    const session = {
      accessKeyId: `ASIATEMP${randomBytes(6).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(120).toString('base64'),
      expiresAt: Date.now() + rig.lifetimeMs,
    };
    sessions.push(session);
    reply(200, stsAnswer(session));
  };
  const sessionOf = ({ headers }: GatewayRequest): Session | undefined =>
    sessions.find(({ sessionToken }) => sessionToken === headers['x-amz-security-token']);
  const judge = (request: GatewayRequest): Refusal | undefined => {
    const session = sessionOf(request);
    if (session === undefined) return { status: 403, code: 'InvalidAccessKeyId', message: 'unknown session' };
    if (session.expiresAt > Date.now()) return undefined;
    expired.push(request);
    return { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' };
  };
  const gateway = await startGateway(server, {
    judge,
    rewrite: async (request) => {
      await assertSigned(request, sessionOf(request) as Session, server.region);
      const { 'x-amz-security-token': _token, authorization: _old, ...headers } = request.headers;
      return sign(
        { ...request, headers },
        server,
        server.region,
        signedNames(request).filter((name) => name !== 'x-amz-security-token'),
      );
    },
  });
  await new Promise<void>((resolve) => services.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
  const rig: RoleRig = {
    gateway,
    env: {
      AWS_REGION: server.region,
      AWS_ENDPOINT_URL_STS: base,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${base}/oidc?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: BEARER,
    },
    sessions,
    oidcTokens,
    expired,
    lifetimeMs: 3_600_000,
    refusal: undefined,
    oidcStatus: undefined,
    close: async () => {
      await gateway.close();
      await new Promise<void>((resolve) => {
        services.close(() => resolve());
        services.closeAllConnections();
      });
    },
  };
  return rig;
}

interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Throws when the signature is not that of the session's secret. */
async function assertSigned(request: GatewayRequest, session: Session, region: string): Promise<void> {
  const { authorization, ...headers } = request.headers;
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  const keys = { accessKeyId, secretAccessKey, sessionToken };
  const expected = await sign({ ...request, headers }, keys, region, signedNames(request));
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
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const client = new S3Client({ region, credentials });
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

function base64url(part: string | Buffer): string {
  return Buffer.from(part).toString('base64url');
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
