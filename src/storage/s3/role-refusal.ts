/** Why a role could not be assumed, in the project's words. */
import type { RoleToAssume } from '../../domain/aws-role.ts';
import { BackupError, messageOf } from '../../domain/errors.ts';
import { errorCodeOf } from './errors.ts';
import { OidcRefusal } from './oidc-token.ts';

export interface RoleRefusal {
  role: RoleToAssume;
  /** Of the OIDC token, where one was got. */
  subject: string | undefined;
  /** When the role's credentials before ran out; `undefined` for the first ones. In milliseconds. */
  expiredAt: number | undefined;
  retryable: boolean;
}

/**
 * `ERR_CREDENTIALS_EXPIRED` when a renewal failed. For the first credentials `ERR_STORAGE_AUTH` when they were refused,
 * `ERR_STORAGE` when nobody answered.
 */
export function refusedRole(error: unknown, refusal: RoleRefusal): BackupError {
  const { role, expiredAt, retryable } = refusal;
  const { what, hint } = wordsFor(error, refusal);
  const renewal = expiredAt === undefined ? '' : `Its credentials end at ${new Date(expiredAt).toISOString()}: `;
  const code = expiredAt === undefined ? (retryable ? 'ERR_STORAGE' : 'ERR_STORAGE_AUTH') : 'ERR_CREDENTIALS_EXPIRED';
  const verb = expiredAt === undefined ? 'assumed' : 'assumed again';
  return new BackupError(code, `The role ${role.arn} could not be ${verb}. ${renewal}${what}.`, {
    op: expiredAt === undefined ? 'assume the role' : 'renew the credentials of the role',
    hint,
    retryable,
    cause: new Error(`${errorCodeOf(error)}: ${messageOf(error)}`),
  });
}

function wordsFor(error: unknown, { role, subject }: RoleRefusal): { what: string; hint: string } {
  const code = errorCodeOf(error);
  if (error instanceof OidcRefusal) {
    return {
      what: `GitHub gave no OIDC token: ${error.message}`,
      hint: 'Check `permissions: id-token: write` of the job and https://www.githubstatus.com, then run again.',
    };
  }
  if (code === 'AccessDenied' || code === 'AccessDeniedException') {
    const shown = subject === undefined ? '' : `. The token’s subject is "${subject}"`;
    return {
      what: `Its trust policy refuses this workflow${shown}`,
      hint: 'Allow sts:AssumeRoleWithWebIdentity for that subject (token.actions.githubusercontent.com:sub) and the audience sts.amazonaws.com in the role’s trust policy. Repositories made or renamed since 15 July 2026 have subjects of the form repo:owner@ID/repo@ID:…, which older policies do not match.',
    };
  }
  if (code === 'InvalidIdentityToken' || code === 'InvalidIdentityTokenException') {
    return {
      what: 'The account does not know GitHub as an identity provider, or not for this audience',
      hint: `Add the OIDC provider https://token.actions.githubusercontent.com with the audience sts.amazonaws.com to account ${role.arn.split(':')[4]} (IAM, Identity providers).`,
    };
  }
  if (code === 'ExpiredTokenException' || code === 'ExpiredToken') {
    return {
      what: 'The runner’s OIDC token was too old when it arrived',
      hint: 'Check the clock of the runner (`timedatectl`), then run again.',
    };
  }
  return {
    what: `The token service of ${role.region} answered ${code}`,
    hint: 'Check the way from the runner to sts.amazonaws.com (of the region), and the ARN; then run again.',
  };
}
