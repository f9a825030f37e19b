/** What providers refuse, as judges of a gateway. Each rule is of the kind that users of other tools ran into. */
import type { GatewayRequest, Judge, Refusal } from './s3-gateway.ts';

/**
 * Cloudflare R2: parts of equal size (opendal#2904), no CRC64NVME at first (skypilot#5282), CRC32 as a checksum of
 * checksums only. That its region is `auto` is what the server behind is started with.
 */
export function r2(): Judge {
  const uploads = new Map<string, Map<number, number>>();
  return (request) => {
    const { headers, query, method } = request;
    if ('x-amz-checksum-crc64nvme' in headers || headers['x-amz-checksum-algorithm'] === 'CRC64NVME') {
      return { status: 501, code: 'NotImplemented', message: 'CRC64NVME is not implemented' };
    }
    if (headers['x-amz-checksum-type'] === 'FULL_OBJECT') {
      return { status: 501, code: 'NotImplemented', message: 'full object checksums are for CRC64NVME' };
    }
    const uploadId = query.get('uploadId');
    const sizes = uploads.get(uploadId ?? '') ?? new Map<number, number>();
    if (uploadId !== null && method === 'PUT') {
      uploads.set(uploadId, sizes.set(Number(query.get('partNumber')), Number(headers['content-length'])));
    }
    if (uploadId === null || method !== 'POST' || areEqualButLast(sizes)) return undefined;
    return { status: 400, code: 'InvalidPart', message: 'All non-trailing parts must have the same length.' };
  };
}

function areEqualButLast(sizes: ReadonlyMap<number, number>): boolean {
  const inOrder = [...sizes].sort(([left], [right]) => left - right).map(([, size]) => size);
  const last = inOrder.pop() ?? 0;
  return inOrder.every((size) => size === inOrder[0] && size >= last);
}

/** Backblaze B2: no headers of the newer checksums (keyv-s3#37) and no bodies in signed chunks. */
export const b2: Judge = ({ headers }) => {
  const unknown = Object.keys(headers).find((name) => /^x-amz-(checksum-|sdk-checksum-|trailer)/.test(name));
  if (unknown !== undefined) {
    const message = `Unsupported header '${unknown}' received for this API call.`;
    return { status: 400, code: 'InvalidArgument', message };
  }
  const chunked = headers['content-encoding'] === 'aws-chunked' || /^STREAMING-/.test(payloadHash(headers));
  return chunked ? { status: 501, code: 'NotImplemented', message: 'aws-chunked is not implemented' } : undefined;
};

/** Scaleway allows 1,000 (databasus#617); a small number tests the same with less data. */
export function fewParts(most: number): Judge {
  return ({ query }) => {
    if (Number(query.get('partNumber') ?? 0) <= most) return undefined;
    return { status: 400, code: 'InvalidArgument', message: `Part number must be an integer between 1 and ${most}` };
  };
}

/** Amazon, for a bucket with Object Lock: each body comes with a digest of it (databasus#188, offen#727). */
export const lockedBucket: Judge = (request) => {
  if (!hasBody(request)) return undefined;
  const digested = Object.keys(request.headers).some((name) => /^(content-md5|x-amz-checksum-)/.test(name));
  if (digested) return undefined;
  const message =
    'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters';
  return { status: 400, code: 'InvalidRequest', message };
};

function hasBody({ method, headers }: GatewayRequest): boolean {
  return method === 'PUT' && Number(headers['content-length'] ?? 0) > 0;
}

/** A role that may put and abort and nothing more: `operation` names what is denied. */
export function denying(operation: (request: GatewayRequest) => boolean): Judge {
  return (request): Refusal | undefined =>
    operation(request) ? { status: 403, code: 'AccessDenied', message: 'Access Denied' } : undefined;
}

function payloadHash(headers: GatewayRequest['headers']): string {
  return String(headers['x-amz-content-sha256'] ?? '');
}
