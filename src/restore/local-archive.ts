/** An archive that is whole, checked and decrypted, in the form in which pg_restore takes it. */
import type { Readable } from 'node:stream';

export type LocalArchive =
  /** `custom`: a file. `directory`: a folder with toc.dat. `tar`: a file that takes no jobs. `sql`: a plain dump, for psql. */
  | { kind: 'file'; format: 'custom' | 'directory' | 'tar' | 'sql'; path: string }
  /** Where the disk is too small: each call fetches and decrypts it anew, after it was checked as a whole. */
  | { kind: 'stream'; format: 'custom' | 'sql'; open(): Promise<Readable> };
