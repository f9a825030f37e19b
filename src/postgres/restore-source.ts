/** An archive that is whole, checked and decrypted, in the form in which pg_restore or psql takes it. */
import type { Readable } from 'node:stream';

export type RestoreSource =
  /** `custom`, `tar`: a file. `directory`: a folder with toc.dat. `sql`: a plain dump, for psql. */
  | { kind: 'file'; format: 'custom' | 'directory' | 'tar' | 'sql'; path: string }
  /** Where the disk is too small: each call begins anew from the first byte. */
  | { kind: 'stream'; format: 'custom' | 'sql'; open(): Promise<Readable> };
