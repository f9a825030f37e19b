import { describe, expect, it } from 'vitest';
import { s3Error } from '../../../src/storage/s3/error-words.ts';

const place = { bucket: 'backups', root: 'team/', region: 'us-east-1' };
const upload = { words: 'upload shop/a', permission: 's3:PutObject', key: 'shop/a' };

function answered(code: string, status: number, message = '', more: object = {}): Error {
  return Object.assign(new Error(message), { name: code, Code: code, $metadata: { httpStatusCode: status }, ...more });
}

describe('what S3 answers, in words', () => {
  const say = (error: Error, operation: object = {}) => s3Error(error, { ...upload, ...operation }, place);

  it.each([
    answered('PermanentRedirect', 301, '', { $response: { headers: { 'x-amz-bucket-region': 'eu-central-1' } } }),
    answered('AuthorizationHeaderMalformed', 400, '', { Region: 'eu-central-1' }),
    answered('AuthorizationHeaderMalformed', 400, `the region 'us-east-1' is wrong; expecting 'eu-central-1'`),
    answered('AuthorizationHeaderMalformed', 400, 'the region "us-east-1" is wrong; expecting "eu-central-1"'),
  ])('names the right region, whichever way it is said (%#)', (error) => {
    expect(say(error)).toMatchObject({
      code: 'ERR_STORAGE',
      message: expect.stringContaining('is not in region us-east-1 but in eu-central-1'),
      hint: expect.stringContaining('?region=eu-central-1'),
    });
  });

  it('tells a denied KMS key from a denied bucket', () => {
    const message = 'User: x is not authorized to perform: kms:GenerateDataKey on resource: y';
    expect(say(answered('AccessDenied', 403, message))).toMatchObject({
      code: 'ERR_STORAGE_DENIED',
      message: expect.stringContaining("kms:GenerateDataKey on the bucket's KMS key is not allowed"),
      hint: expect.stringContaining('kms:Decrypt'),
    });
  });

  it.each(['KMS.DisabledException', 'KMS.NotFoundException', 'KMS.KMSInvalidStateException'])(
    'says that the key cannot be used when S3 answers %s',
    (code) => expect(say(answered(code, 400))).toMatchObject({ hint: expect.stringContaining('?kms-key-id=') }),
  );

  it('names the option that the provider does not take', () => {
    expect(say(answered('InvalidStorageClass', 400)).hint).toContain('?storage-class=');
    expect(say(answered('InvalidEncryptionAlgorithmError', 400)).hint).toContain('?sse=');
  });

  it('says how to use fewer parts when the 1,001st is refused (1,000 parts at some providers)', () => {
    expect(say(answered('InvalidArgument', 400), { part: 1_001 })).toMatchObject({
      code: 'ERR_STORAGE_TOO_LARGE',
      hint: expect.stringContaining('?max-parts=1000'),
    });
    expect(say(answered('InvalidArgument', 400), { part: 1_000 }).code).toBe('ERR_STORAGE');
  });

  it.each([
    ['QuotaExceeded', 403],
    ['XMinioStorageFull', 507],
  ])('tells a full bucket from a denied one: %s (%d)', (code, status) => {
    expect(say(answered(code, status))).toMatchObject({
      code: 'ERR_STORAGE_FULL',
      hint: expect.stringContaining('Free or buy space'),
    });
  });

  it('says what renews credentials when they have expired', () => {
    expect(say(answered('ExpiredToken', 400))).toMatchObject({
      code: 'ERR_CREDENTIALS_EXPIRED',
      hint: expect.stringContaining('`aws-role-to-assume`'),
    });
  });
});
