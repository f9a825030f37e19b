/** How a write ends when something breaks: what is kept in the bucket, what is removed, what is believed. */
import { randomBytes } from 'node:crypto';
import { DeleteBucketCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { DENIED } from '../support/bucket-scenario.ts';
import { describeS3Faults, failure, pausing } from '../support/s3-fault-bench.ts';
import { startVersitygw } from '../support/s3-servers.ts';
import { keysOf, MIB, openLine, quickRetry, writeChunked } from '../support/storage-bench.ts';

describeS3Faults((bench) => {
  it('leaves no upload behind after abort', async () => {
    const writer = await bench.storage.create('archive');
    await writer.write(randomBytes(13 * MIB));
    await writer.abort();
    expect(await bench.unfinishedUploads()).toBe(0);
    expect(await keysOf(bench.storage)).toEqual([]);
  });

  it('discards the upload although the run was cancelled', async () => {
    const cancel = new AbortController();
    const cancelled = bench.open({}, { signal: cancel.signal });
    const writer = await cancelled.create('archive');
    await writer.write(randomBytes(13 * MIB));
    cancel.abort(new BackupError('ERR_DEADLINE', 'Too late.', { op: 'dump', hint: 'Wait longer.' }));
    expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_DEADLINE' });
    await writer.abort();
    expect(await bench.unfinishedUploads()).toBe(0);
    await cancelled.close();
  });

  it('names the right that discarding lacks, not what the run failed of before', async () => {
    const run = new AbortController();
    await bench.storage.close();
    bench.storage = bench.open({}, { signal: run.signal });
    const writer = await bench.storage.create('archive');
    await writer.write(randomBytes(13 * MIB));
    await expect.poll(bench.unfinishedUploads).toBe(1);
    const request = (head: string): boolean => head.startsWith('DELETE ');
    bench.proxy.set({ answerTo: { request, times: 99, response: DENIED } });
    run.abort(new BackupError('ERR_STORAGE_DENIED', 'This role may not s3:PutObject.', { op: 'upload', hint: '' }));
    await writer.abort();
    const warning = bench.log.lines.find((line) => line.startsWith('warning: ')) ?? '';
    expect(warning).toContain('s3:AbortMultipartUpload');
    expect(warning).not.toContain('s3:PutObject');
    expect(await bench.unfinishedUploads()).toBe(1);
  });

  it('warns, and does not throw or wait long, when an upload cannot be discarded', async () => {
    await bench.storage.close();
    bench.storage = bench.open({}, { s3: { ...quickRetry, stallTimeoutMs: 10_000, abortTimeoutMs: 300 } });
    const writer = await bench.storage.create('archive');
    await writer.write(randomBytes(13 * MIB));
    await expect.poll(bench.unfinishedUploads).toBe(1);
    bench.proxy.set({ blackholeAfter: 0 });
    const started = Date.now();
    await writer.abort();
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(bench.log.lines).toEqual(
      expect.arrayContaining([expect.stringMatching(/^warning: .*AbortIncompleteMultipartUpload/)]),
    );
  });

  it('removes the object when the answer to its completion never came', async () => {
    bench.proxy.set({ loseAnswerTo: { request: (head) => /^POST \S*uploadId=/.test(head), times: 99 } });
    const writer = await bench.storage.create('archive');
    await writer.write(randomBytes(13 * MIB));
    // The first try succeeds unheard; the tries after it are told that the upload is gone, unheard as well.
    const error = await failure(writer.commit());
    expect(error.code).toBe('ERR_STORAGE');
    expect(await keysOf(bench.storage)).toEqual(['archive']);
    bench.proxy.set({});
    await writer.abort();
    expect(await keysOf(bench.storage)).toEqual([]);
  });

  it('fails by code when the bucket vanishes before the commit', async () => {
    const writer = await bench.storage.create('marker', { onlyIfAbsent: true });
    await writer.write(Buffer.from('{}'));
    await bench.directClient((client) => client.send(new DeleteBucketCommand({ Bucket: bench.bucket })));
    expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_STORAGE_MISSING' });
    await writer.abort();
    expect(bench.log.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
    await bench.server.createBucket(bench.bucket);
  });

  it('stops with a code when the parts are used up', async () => {
    bench.storage = bench.open({ 'max-parts': '2' });
    const error = await bench.failsCleanly(async (writing) => {
      const writer = await writing.create('archive');
      await writer.write(randomBytes(10 * MIB));
      await writer.write(randomBytes(1));
    });
    expect(error).toMatchObject({ code: 'ERR_STORAGE_TOO_LARGE', hint: expect.stringContaining('part-size-mib=20') });
  });

  it('reads back when the ETag says nothing, as under SSE-KMS, unless the provider gives a checksum', async () => {
    const opaque = await startVersitygw({ opaqueEtags: true });
    await opaque.createBucket('opaque');
    const reading = openLine(opaque.storageUri('opaque', '', { 'part-size-mib': '5' }), opaque.env);
    try {
      expect(await writeChunked(reading, 'archive', randomBytes(11 * MIB))).toMatchObject({ evidence: 'read-back' });
      expect(await writeBytes(reading, 'small', Buffer.from('1'))).toMatchObject({ evidence: 'read-back' });
      const line = opaque.storageUri('opaque', '', { 'part-size-mib': '5', checksum: 'crc32' });
      const checked = openLine(line, opaque.env);
      const evidence = { evidence: 'provider-checksum' };
      expect(await writeChunked(checked, 'checked', randomBytes(11 * MIB))).toMatchObject(evidence);
      await checked.close();
    } finally {
      await reading.close();
      await opaque.stop();
    }
  });

  it('refuses an object that is not what was sent, and removes it', async () => {
    await bench.storage.close();
    bench.storage = bench.open({}, { s3: pausing });
    const writer = await bench.storage.create('marker');
    await writer.write(Buffer.from('mine'));
    // Between the put and the look at it, somebody else puts other bytes in its place.
    const finished = bench.interfere((head) => /^GET \S*list-type=2/.test(head), 'theirs!');
    expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_STORED_DIFFERS' });
    await writer.abort();
    await finished();
    expect(await keysOf(bench.storage)).toEqual([]);
  });
});
