/**
 * Which size the parts of a multipart upload get. All parts of one upload are equal (Cloudflare R2 demands it),
 * so the size has to be right before the first byte is known.
 */

export const MIB = 1024 * 1024;

/** The project's own floor: large enough that 10,000 parts hold 156 GiB, small enough for a constant 80 MiB of buffers. */
export const MINIMUM_PART_MIB = 16;
/** S3's own limits of one part: 5 MiB to 5 GiB (Amazon S3 User Guide, "Multipart upload limits"). */
export const SMALLEST_ALLOWED_PART_MIB = 5;
export const LARGEST_ALLOWED_PART_MIB = 5 * 1024;
/** Parts that one S3 upload may have (the same page); some providers allow only 1,000. */
export const DEFAULT_MAX_PARTS = 10_000;

/** An estimate may be wrong by this factor before the parts run out. */
const HEADROOM = 2;
const MAX_PARTS_IN_FLIGHT = 4;
/** Beyond this many MiB of part buffers, fewer parts travel at once. */
const BUFFER_BUDGET_MIB = 320;

export interface PartSizeRequest {
  /** Upper estimate of the object's size; `undefined` when nothing is known. */
  expectedBytes: number | undefined;
  maxParts: number;
  /** Set by the user: used as it is. */
  fixedMib?: number | undefined;
}

export interface PartPlan {
  partSizeBytes: number;
  maxParts: number;
  /** Parts that travel at once; the writer holds one buffer more than that. */
  inFlight: number;
  /** The largest object that fits. */
  capacityBytes: number;
}

/**
 * Chooses whole MiB, at least {@link MINIMUM_PART_MIB}, so that twice the estimate fits into `maxParts` parts.
 * Twice, because the estimate is usually the database's size on disk: an archive is nearly always smaller, but
 * incompressible bytea written as text may come out larger. Without an estimate the minimum is taken.
 * Large parts travel fewer at a time, so that buffers stay within 320 MiB or two parts, whichever is more.
 */
export function choosePartSize(request: PartSizeRequest): PartPlan {
  const { expectedBytes = 0, maxParts, fixedMib } = request;
  const neededMib = Math.ceil((expectedBytes * HEADROOM) / maxParts / MIB);
  const chosenMib = fixedMib ?? Math.max(MINIMUM_PART_MIB, neededMib);
  const partMib = Math.min(LARGEST_ALLOWED_PART_MIB, chosenMib);
  const inFlight = Math.max(1, Math.min(MAX_PARTS_IN_FLIGHT, Math.floor(BUFFER_BUDGET_MIB / partMib) - 1));
  const partSizeBytes = partMib * MIB;
  return { partSizeBytes, maxParts, inFlight, capacityBytes: partSizeBytes * maxParts };
}

/** Words for the log when parts are larger than usual: what that costs. `undefined` when they are not. */
export function describePartSize(plan: PartPlan): string | undefined {
  const partMib = plan.partSizeBytes / MIB;
  if (partMib <= MINIMUM_PART_MIB) return undefined;
  const memoryMib = partMib * (plan.inFlight + 1);
  const parts = plan.maxParts.toLocaleString('en-US');
  return (
    `Parts of ${partMib} MiB, so that an object of up to ${gib(plan.capacityBytes)} fits into ${parts} parts. ` +
    `Buffers take up to ${memoryMib} MiB of memory (${plan.inFlight} in flight and one being filled).`
  );
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
