/** Which backup: what the input `backup` says, and the choice among what the bucket holds. */

export type BackupSelector =
  | { kind: 'latest' }
  | { kind: 'latest-proven' }
  /** The newest set that a drill has brought back. */
  | { kind: 'latest-restored' }
  /** The newest proven set whose snapshot is not later. */
  | { kind: 'before'; time: Date }
  /** A whole id, or a prefix that only one set has. */
  | { kind: 'id'; prefix: string }
  /**
   * A key below the destination, a URI `s3://bucket/…` or the path of a directory or file: of a set (its folder or its
   * metadata.json) or of a dump made by other means. What it is shows when it is looked at.
   */
  | { kind: 'location'; location: string };
