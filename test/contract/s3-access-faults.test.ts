/** What a bucket refuses: credentials, rights, names, regions. The server is real. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BackupError } from '../../src/domain/errors.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { describeS3Faults, failure } from '../support/s3-fault-bench.ts';
import { startVersitygw } from '../support/s3-servers.ts';
import { keysOf, MIB, openLine, writeChunked } from '../support/storage-bench.ts';

describeS3Faults((bench) => {
  describe('credentials, rights and names', () => {
    const secrets = () => [
      bench.server.accessKeyId,
      bench.server.secretAccessKey,
      'AKIAWRONGWRONGWRONG0',
      'wrong-secret',
    ];
    function expectNoSecrets(error: BackupError): void {
      const cause = error.cause as Error;
      const said = [error.message, error.hint, cause.message, cause.stack, JSON.stringify(cause)].join('\n');
      for (const secret of secrets()) expect(said).not.toContain(secret);
      expect(said).not.toMatch(/X-Amz-Signature|AWS4-HMAC-SHA256/);
    }

    it('says that the secret access key is wrong', async () => {
      bench.storage = bench.open({}, { env: { ...bench.server.env, AWS_SECRET_ACCESS_KEY: 'wrong-secret' } });
      const error = await failure(writeBytes(bench.storage, 'a', Buffer.from('1')));
      expect(error).toMatchObject({
        code: 'ERR_STORAGE_AUTH',
        message: expect.stringContaining('secret access key is wrong'),
      });
      expectNoSecrets(error);
      expect(bench.log.masked).toContain('wrong-secret');
    });

    it('says that the access key id is unknown', async () => {
      bench.storage = bench.open({}, { env: { ...bench.server.env, AWS_ACCESS_KEY_ID: 'AKIAWRONGWRONGWRONG0' } });
      const error = await failure(writeBytes(bench.storage, 'a', Buffer.from('1')));
      expect(error).toMatchObject({
        code: 'ERR_STORAGE_AUTH',
        message: expect.stringContaining('access key id is unknown'),
      });
      expectNoSecrets(error);
    });

    it('takes credentials by name', async () => {
      const env = {
        BACKUP_ACCESS_KEY_ID: bench.server.accessKeyId,
        BACKUP_SECRET_ACCESS_KEY: bench.server.secretAccessKey,
      };
      bench.storage = bench.open({ credentials: 'BACKUP' }, { env });
      await writeBytes(bench.storage, 'a', Buffer.from('1'));
      expect(bench.log.masked).toContain(bench.server.secretAccessKey);
    });

    it('says that the bucket does not exist', async () => {
      bench.bucket = 'no-such-bucket';
      bench.storage = bench.open();
      for (const work of [
        () => writeBytes(bench.storage, 'a', Buffer.from('1')),
        () => writeChunked(bench.storage, 'b', randomBytes(6 * MIB)),
        () => keysOf(bench.storage),
      ]) {
        expect(await failure(work())).toMatchObject({
          code: 'ERR_STORAGE_MISSING',
          message: expect.stringContaining('there is no such bucket'),
        });
      }
    });

    it('names the right that is missing, and on what', async () => {
      const readOnly = await startVersitygw({ readOnlyWith: ['locked'] });
      const denied = openLine(readOnly.storageUri('locked', 'team', { 'part-size-mib': '5' }), readOnly.env);
      try {
        for (const work of [
          () => writeBytes(denied, 'a', Buffer.from('1')),
          () => writeChunked(denied, 'b', randomBytes(6 * MIB)),
        ]) {
          expect(await failure(work())).toMatchObject({
            code: 'ERR_STORAGE_DENIED',
            message: expect.stringContaining('s3:PutObject on arn:aws:s3:::locked/team/*'),
          });
        }
        expect(await failure(denied.delete('a'))).toMatchObject({
          message: expect.stringContaining('s3:DeleteObject'),
        });
      } finally {
        await denied.close();
        await readOnly.stop();
      }
    });

    it('names the region that the bucket is in', async () => {
      const body =
        '<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint.</Message></Error>';
      const head =
        'HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-central-1\r\nContent-Type: application/xml';
      const response = `${head}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
      bench.proxy.set({ answerTo: { request: (head) => /^PUT /.test(head), times: 9, response } });
      expect(await failure(writeBytes(bench.storage, 'a', Buffer.from('1')))).toMatchObject({
        code: 'ERR_STORAGE',
        message: expect.stringContaining('not in region us-east-1 but in eu-central-1'),
        hint: expect.stringContaining('?region=eu-central-1'),
      });
    });

    it('reports a server that cannot be reached', async () => {
      bench.proxy.set({ refuse: true });
      expect(await failure(keysOf(bench.storage))).toMatchObject({
        code: 'ERR_STORAGE',
        message: expect.stringContaining('the connection failed at every try'),
      });
    });
  });
});
