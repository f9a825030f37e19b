import { describe, expect, it, test } from 'vitest';
import { roleArnProblem, roleToAssume } from '../../src/domain/aws-role.ts';
import { parseDestination, resolveS3, type S3Destination, withRole } from '../../src/domain/destination.ts';

const ARN = 'arn:aws:iam::123456789012:role/team/backup';
const env = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://run.actions.example/token?api-version=2.0',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer',
  GITHUB_RUN_ID: '4711',
};

describe('the ARN of a role', () => {
  it.each([ARN, 'arn:aws-us-gov:iam::123456789012:role/backup', 'arn:aws-cn:iam::123456789012:role/a.b_c@d'])(
    '%s is one',
    (arn) => expect(roleArnProblem(arn)).toBeUndefined(),
  );

  it.each([
    ['backup', 'not the ARN of a role'],
    ['arn:aws:iam::12345:role/backup', 'not the ARN of a role'],
    ['arn:aws:iam::123456789012:role/', 'not the ARN of a role'],
    ['arn:aws:iam::123456789012:user/backup', 'something else than a role'],
    ['arn:aws:sts::123456789012:assumed-role/backup/me', 'ARN of a session'],
    [`${ARN}\nx`, 'not the ARN of a role'],
  ])('%j is none, and the words say what to write', (arn, words) => {
    expect(roleArnProblem(arn)).toContain(words);
    expect(roleArnProblem(arn)).toContain('arn:aws:iam::123456789012:role/name');
  });
});

test('a role is for every bucket without credentials of its own, and for no directory', () => {
  const roleOf = (line: string) => (withRole(parseDestination(line), ARN) as Partial<S3Destination>).role;
  expect(roleOf('s3://bucket')).toBe(ARN);
  expect(roleOf('s3://bucket?credentials=R2')).toBeUndefined();
  expect(roleOf('backups')).toBeUndefined();
  const untouched = parseDestination('s3://bucket');
  expect(withRole(untouched, undefined)).toBe(untouched);
});

test('a role goes before the keys in the environment, and needs no whole pair of them', () => {
  const destination = withRole(parseDestination('s3://bucket?region=eu-west-1'), ARN) as S3Destination;
  const resolved = resolveS3(destination, { ...env, AWS_ACCESS_KEY_ID: 'id' });
  expect(resolved.credentials).toBeUndefined();
  expect(resolved.role).toMatchObject({ arn: ARN, region: 'eu-west-1', sessionName: 'db-backup-action-4711' });
});

describe('what it takes to assume a role', () => {
  it('is the token service of the runner, and the one of the region unless AWS_ENDPOINT_URL_STS names another', () => {
    expect(roleToAssume(ARN, 'eu-west-1', env)).toMatchObject({ requestToken: 'bearer', endpoint: undefined });
    const elsewhere = { ...env, AWS_ENDPOINT_URL: 'http://a.example', AWS_ENDPOINT_URL_STS: 'http://b.example' };
    expect(roleToAssume(ARN, 'eu-west-1', elsewhere).endpoint).toBe('http://b.example');
  });

  it.each([{ ...env, ACTIONS_ID_TOKEN_REQUEST_URL: '' }, { ...env, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined }, {}])(
    'is missing without the permission, and the words name it',
    (without) => {
      expect(() => roleToAssume(ARN, 'eu-west-1', without)).toThrow(/`id-token: write`.*forks never get it/);
    },
  );
});
