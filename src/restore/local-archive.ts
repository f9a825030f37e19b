/** An archive that is whole, checked and decrypted. */
export type { RestoreSource as LocalArchive } from '../postgres/restore-source.ts';
