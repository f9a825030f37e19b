/** The settings of an S3 destination after the environment has filled what its line leaves out. */
import { type RoleToAssume, roleToAssume } from './aws-role.ts';
import { wrongDestination } from './destination-error.ts';
import type { Environment } from './environment.ts';
import { DEFAULT_MAX_PARTS } from './part-size.ts';
import { type ChecksumKind, parseEndpoint, type S3Destination } from './s3-destination.ts';

export interface ResolvedS3 {
  region: string;
  /** Nobody named a region: `region` is Amazon's default, and the bucket is to be asked where it is. */
  regionIsGuess: boolean;
  /** `undefined`: Amazon's own. */
  endpoint: string | undefined;
  forcePathStyle: boolean;
  checksum: ChecksumKind;
  maxParts: number;
  /** `undefined`: the role, or else the AWS default chain (profile, container, instance…) decides. */
  credentials: StaticCredentials | undefined;
  /** Instead of `credentials`. */
  role: RoleToAssume | undefined;
  /** A PEM file of authorities to trust besides the machine's own. */
  caFile: string | undefined;
}

export interface StaticCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Amazon's default; providers that have no regions accept it too. */
const DEFAULT_REGION = 'us-east-1';

/** Endpoints that name their region, which is the only one that they accept: `s3.us-west-004.backblazeb2.com`. */
const HOST_OF_REGION =
  /^s3[.-]([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|backblazeb2\.com|wasabisys\.com|scw\.cloud|io\.cloud\.ovh\.net)$/;

/**
 * Fills what the line leaves out. Region: the line; what the endpoint's host says (`auto` for Cloudflare R2);
 * AWS_REGION, AWS_DEFAULT_REGION; else `us-east-1`, on Amazon as a guess. Throws `ERR_INPUT` when the credentials it
 * names are not in `env` or only half there, or when a role is to be assumed and the job may not ask for a token.
 */
export function resolveS3(destination: S3Destination, env: Environment): ResolvedS3 {
  const endpoint = destination.endpoint ?? endpointFrom(env);
  const host = endpoint === undefined ? undefined : new URL(endpoint).hostname;
  const amazon = host === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(host);
  const named = destination.region ?? regionOfHost(host) ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  const region = named ?? DEFAULT_REGION;
  return {
    region,
    regionIsGuess: named === undefined && host === undefined,
    endpoint,
    forcePathStyle: destination.forcePathStyle ?? !amazon,
    checksum: destination.checksum ?? (amazon ? 'crc32' : 'md5'),
    maxParts: destination.maxParts ?? maxPartsOf(host),
    ...(destination.role === undefined
      ? { credentials: credentialsFrom(destination, env), role: undefined }
      : { credentials: undefined, role: roleToAssume(destination.role, amazon ? region : DEFAULT_REGION, env) }),
    caFile: destination.caFile ?? (env.AWS_CA_BUNDLE || undefined),
  };
}

function regionOfHost(host: string | undefined): string | undefined {
  if (host?.endsWith('.r2.cloudflarestorage.com') === true) return 'auto';
  return host === undefined ? undefined : HOST_OF_REGION.exec(host)?.[1];
}

/** Scaleway allows a tenth of what S3 does (databasus#617, cloudnative-pg#1673). */
function maxPartsOf(host: string | undefined): number {
  return host?.endsWith('.scw.cloud') === true ? 1_000 : DEFAULT_MAX_PARTS;
}

function endpointFrom(env: Environment): string | undefined {
  const fromEnvironment = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  return fromEnvironment ? parseEndpoint(fromEnvironment) : undefined;
}

function credentialsFrom(destination: S3Destination, env: Environment): StaticCredentials | undefined {
  const name = destination.credentials ?? 'AWS';
  const accessKeyId = env[`${name}_ACCESS_KEY_ID`]?.trim();
  const secretAccessKey = env[`${name}_SECRET_ACCESS_KEY`]?.trim();
  const sessionToken = env[`${name}_SESSION_TOKEN`]?.trim();
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  }
  if (destination.credentials === undefined && !accessKeyId && !secretAccessKey) return undefined;
  const missing = accessKeyId ? `${name}_SECRET_ACCESS_KEY` : `${name}_ACCESS_KEY_ID`;
  throw wrongDestination(
    `${missing} is not set, or empty, but the destination with bucket ${destination.bucket} needs it`,
    `Set it in the \`env:\` block of the step, e.g. ${missing}: \${{ secrets.${missing} }}.`,
  );
}
