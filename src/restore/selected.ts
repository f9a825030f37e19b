/** What was chosen to be restored, and where it can be read. */
import type { Target } from '../backup/destinations.ts';
import type { Finding } from '../domain/findings.ts';
import type { Manifest } from '../domain/manifest.ts';

/** A set as one destination holds it. */
export interface SetCopy {
  target: Target;
  /** Below the destination's root, without a slash at its end: `shop/2026…_k3v9qa`. */
  folder: string;
  /** Safe to print. */
  uri: string;
  /** As this destination has it: each copy is held against its own. */
  manifest: Manifest;
}

/** A backup of this action. */
export interface SelectedSet {
  kind: 'set';
  /** Of the first copy. */
  manifest: Manifest;
  series: string;
  /** Where all of its objects are, in the order in which they are tried: that of `storage`. */
  copies: readonly [SetCopy, ...SetCopy[]];
  findings: Finding[];
}

/** A dump made by other means, of which nothing recorded is known. */
export interface ForeignDump {
  kind: 'foreign';
  /** `directory`: a folder with toc.dat. What is in a file shows when it is read. */
  layout: 'file' | 'directory';
  target: Target;
  /** Of the file, or of the folder without a slash at its end; below the destination's root. */
  key: string;
  /** Its last part, for people. */
  name: string;
  /** Safe to print. */
  uri: string;
  findings: Finding[];
}

export type Selected = SelectedSet | ForeignDump;
