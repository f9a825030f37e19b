/** What the fetched backup becomes on this machine. */
export type { RestoreSource as LocalArchive } from '../postgres/restore-source.ts';
