/** Whether an object could be written, found out without writing one. */
import { abortUpload, createUpload, type UploadTarget } from './upload.ts';

/**
 * Begins a multipart upload and discards it: that takes the same right, key and settings as the real one, and nothing
 * is ever visible. Throws what a write would throw.
 */
export async function probeUpload(target: UploadTarget): Promise<void> {
  const uploadId = await createUpload(target, target.signal);
  await abortUpload(target.connection, target.key, uploadId, target.signal);
}
