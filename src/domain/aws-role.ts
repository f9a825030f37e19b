/** The role of `aws-role-to-assume`: its ARN, and what it takes to assume it. */
import { wrongDestination } from './destination-error.ts';
import type { Environment } from './environment.ts';
import { parseEndpoint } from './s3-destination.ts';

/** Everything for exchanging the runner's OIDC token for credentials. */
export interface RoleToAssume {
  arn: string;
  /** Where the runner hands out OIDC tokens (ACTIONS_ID_TOKEN_REQUEST_URL). */
  tokenUrl: string;
  /** The bearer token for that; secret. */
  requestToken: string;
  /** Stands in CloudTrail beside everything that the run does: 2 to 64 of `[\w+=,.@-]`. */
  sessionName: string;
  /** Of the token service. */
  region: string;
  /** `undefined`: Amazon's own of the region. */
  endpoint: string | undefined;
}

/** `arn:aws:iam::123456789012:role/path/name`, in any of Amazon's partitions (IAM User Guide, "IAM identifiers"). */
const ROLE_ARN = /^arn:aws(-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

/** What is wrong with the text of a role's ARN, as a sentence; `undefined` when nothing is. */
export function roleArnProblem(text: string): string | undefined {
  if (ROLE_ARN.test(text)) return undefined;
  const form = 'Write the ARN of a role: arn:aws:iam::123456789012:role/name.';
  if (/^arn:aws[a-z-]*:sts::/.test(text)) return `It is the ARN of a session, not of a role. ${form}`;
  if (/^arn:aws[a-z-]*:iam::\d{12}:(user|group|policy|oidc-provider)\b/.test(text))
    return `It is the ARN of something else than a role. ${form}`;
  return `It is not the ARN of a role. ${form}`;
}

/** Throws `ERR_INPUT` when the runner does not offer a token: then the job lacks the permission. */
export function roleToAssume(arn: string, region: string, env: Environment): RoleToAssume {
  const tokenUrl = env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '';
  const requestToken = env.ACTIONS_ID_TOKEN_REQUEST_TOKEN ?? '';
  if (requestToken === '' || !URL.canParse(tokenUrl)) {
    throw wrongDestination(
      '`aws-role-to-assume` needs an OIDC token of the runner, and this job may not ask for one',
      'Give the job `permissions:` with `id-token: write` (and `contents: read`, which is lost when others are named). Runs of pull requests from forks never get it.',
    );
  }
  const endpoint = env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL;
  return {
    arn,
    tokenUrl,
    requestToken,
    sessionName: `db-backup-action-${/^\d{1,40}$/.test(env.GITHUB_RUN_ID ?? '') ? env.GITHUB_RUN_ID : 'local'}`,
    region,
    endpoint: endpoint ? parseEndpoint(endpoint) : undefined,
  };
}
