/** Parsers of what a backup calls its own: series, label, compression, patterns, recipients, the passphrase. */
import { parseRecipient } from '../crypto/age.ts';
import { normalizeLabel } from '../domain/backup-id.ts';
import type { Compression } from '../domain/compression.ts';
import { type Destination, parseDestination } from '../domain/destination.ts';
import { parseSchemaPattern, parseTablePattern } from '../domain/name-pattern.ts';
import { type Parse, quoted, rejected } from './values.ts';
