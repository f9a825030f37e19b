/** What pg_restore and psql say on standard error, under `LC_ALL=C`, and what each message means. */
import type { ClassifiedMessage } from './recovery.ts';
import { HARMLESS_FORMS, type MessageContext, meaningOf } from './restore-messages/forms.ts';
import type { RestoreMessage } from './restore-messages/message.ts';
import { countOf } from './words.ts';

export type { MessageContext } from './restore-messages/forms.ts';
export { type RestoreMessage, wordsOf } from './restore-messages/message.ts';

/**
 * What pg_restore writes under `--verbose` while all is well, from 13 to 19rc1. Anything else is a message.
 * Measured: names may hold line breaks, so one may take several lines.
 */
const PROGRESS = [
  /^(?:connecting to (?:new )?database|processing (?:item|missed item) \d|processing data for table "|processing BLOBS)/,
  /^creating [A-Z]+(?: [A-Z]+)* "/,
  /^executing [A-Z]+(?: [A-Z]+)* /,
  /^(?:launching|finished|skipping) item \d/,
  /^(?:entering|finished) main parallel loop/,
  /^(?:disabling|enabling) triggers for /,
  /^(?:restoring large object with OID \d|restored \d+ large objects?)/,
  /^setting owner and privileges for /,
  /^implied (?:data|schema|no-schema)/,
];
/** Where an error happened; the error itself follows. */
const PLACE = /^(?:while (?:INITIALIZING|PROCESSING TOC|FINALIZING):|from TOC entry \d+; )/;
/**
 * Workers write to one pipe, in several pieces a line. Measured under `--jobs=2`: lines that begin with the program's
 * name twice or not at all. The words of a message are always one piece.
 */
const PREFIX = /^(?:\s*pg_restore:|\s+)+/;
const LABEL = /^(?:\s*pg_restore:|\s*(error|warning|hint|detail):|\s+)+/;
const PSQL = /^psql:.*?:(\d+): (error|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO):\s+(.*)$/;
/** Beginnings of messages, for those that lost their label to another line. */
const BEGINNING =
  /^(?:could not |COPY failed |error returned by |unrecognized |unsupported |WARNING: {2}|NOTICE: {2}|errors ignored on restore: )/;
const IGNORED = /^errors ignored on restore: (\d+)$/;

/** What a line of progress tells of rows. */
export type Progress =
  /** The rows of a table, or large objects, begin to be loaded. */
  | 'data-begins'
  /** Only under `--jobs`. */
  | 'data-ends'
  | 'other';

export function parseProgress(line: string): Progress {
  const text = line.replace(PREFIX, '');
  if (/^(?:processing data for table "|processing BLOBS$|restoring large object )/.test(text)) return 'data-begins';
  return /^finished item \d+ (?:TABLE DATA|BLOBS) /.test(text) ? 'data-ends' : 'other';
}

/** More are counted, not kept: a target that refuses everything says so for every object. */
const KEPT_MESSAGES = 2_000;
const KEPT_LINES = 40;

/** Takes lines together that are one message, as they come; leaves out what is said while all is well. */
export class MessageCollector {
  readonly messages: { severity: 'error' | 'warning'; text: string; more: string[] }[] = [];
  /** Of all that came, kept or not. */
  errors = 0;
  #current: string[] | undefined;

  add(line: string): void {
    const begun = beginningOf(line);
    if (begun === undefined) {
      if (line.trim() !== '' && (this.#current?.length ?? KEPT_LINES) < KEPT_LINES) this.#current?.push(line);
      return;
    }
    this.#current = undefined;
    if (begun === 'progress') return;
    if (begun.severity === 'error') this.errors += 1;
    if (this.messages.length >= KEPT_MESSAGES && !IGNORED.test(begun.text)) return;
    const message = { ...begun, more: [] };
    this.messages.push(message);
    this.#current = message.more;
  }
}

/** A message, progress, or `undefined` for a line that goes on with what came before it. */
function beginningOf(line: string): { severity: 'error' | 'warning'; text: string } | 'progress' | undefined {
  const told = PSQL.exec(line);
  if (told !== null) {
    const [, at = '', word = '', text = ''] = told;
    if (word === 'NOTICE' || word === 'INFO') return 'progress';
    return { severity: word === 'WARNING' ? 'warning' : 'error', text: `line ${at}: ${word}:  ${text}` };
  }
  const bare = line.replace(PREFIX, '');
  if (PROGRESS.some((form) => form.test(bare)) || PLACE.test(bare)) return 'progress';
  const label = LABEL.exec(line);
  const text = line.slice(label?.[0].length ?? 0);
  if (PROGRESS.some((form) => form.test(text)) || PLACE.test(text)) return 'progress';
  const labelled = line.startsWith('pg_restore:') || line.startsWith('psql:') || label?.[1] !== undefined;
  if (!labelled && !BEGINNING.test(bare)) return undefined;
  if (/^(?:NOTICE|INFO): {2}/.test(text)) return 'progress';
  if (/^(?:hint|detail)$/.test(label?.[1] ?? '')) return undefined;
  const isWarning = /^(?:WARNING: {2}|errors ignored on restore: )/.test(text) || label?.[1] === 'warning';
  return text === '' ? 'progress' : { severity: isWarning ? 'warning' : 'error', text };
}

/**
 * What each message means. Harmless is only what stands in the table of forms, word for word; errors with a known
 * meaning are fatal; everything else is unknown. Neither of those two lets a restore pass.
 */
export function classifyMessages(lines: readonly string[], context: MessageContext): ClassifiedMessage[] {
  const collector = new MessageCollector();
  for (const line of lines) collector.add(line);
  return classifyCollected(collector, context);
}

/** The same for lines that were collected as they came. */
export function classifyCollected(
  { messages, errors }: MessageCollector,
  context: MessageContext,
): ClassifiedMessage[] {
  return messages.map((message) => {
    const ignored = IGNORED.exec(message.text)?.[1];
    if (ignored === undefined) return classify(message, context);
    // Measured: with workers it counts some errors twice and others not at all.
    const complete = context.parallel === true || Number(ignored) <= errors;
    return {
      kind: complete ? 'harmless' : 'unknown',
      text: message.text,
      reason: complete
        ? 'it only counts the errors, each of which is listed'
        : `only ${countOf(errors, 'error was', 'errors were')} seen, so at least one is not listed`,
    };
  });
}

function classify(message: RestoreMessage, context: MessageContext): ClassifiedMessage {
  const text = oneLine(message);
  const harmless = HARMLESS_FORMS.find((form) => form.matches(message, context));
  if (harmless !== undefined) return { kind: 'harmless', text, reason: harmless.reason };
  const meaning = message.severity === 'error' ? meaningOf(message) : undefined;
  if (meaning !== undefined) return { kind: 'fatal', text, reason: meaning };
  return { kind: 'unknown', text, reason: 'it is not among the messages that are known to be harmless' };
}

const SHOWN_CHARACTERS = 500;

/** A line of a message without the values of rows that it quotes: logs and reports are read by many. */
export function withoutRowData(line: string): string {
  return line
    .replace(/(COPY .*, line \d+(?:, column [^:]*)?): ".*$/s, '$1')
    .replace(/\)=\(.*\)/, ')=(…)')
    .replace(/(Failing row contains) \(.*\)/, '$1 (…)')
    .replace(/(invalid input (?:syntax|value) for .*): ".*"$/, '$1: "…"');
}

function oneLine({ text, more }: RestoreMessage): string {
  const whole = [text, ...more].map(withoutRowData).join(' ').replaceAll(/\s+/g, ' ').trim();
  return whole.length > SHOWN_CHARACTERS ? `${whole.slice(0, SHOWN_CHARACTERS)}…` : whole;
}
