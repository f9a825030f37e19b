/** The log of a run, on the runner's workflow commands, with a redaction of its own before every one of them. */
import * as core from '@actions/core';
import { redact, secretForms } from '../domain/connection.ts';
import type { Log } from '../ports.ts';

/** The runner cuts messages of annotations here: platform limit, in characters. */
const MAX_ANNOTATION_CHARACTERS = 4096;
const CUT = '… (cut; the job summary has more)';

export type AnnotationKind = 'notice' | 'warning' | 'error';

const ANNOTATE = { notice: core.notice, warning: core.warning, error: core.error };

/** The workflow commands that the log is made of. */
export interface Console {
  line(text: string): void;
  /** In a terminal on one line, over the last one; elsewhere a line like any other. */
  progress(text: string): void;
  annotation(kind: AnnotationKind, text: string, title?: string): void;
  debug(text: string): void;
  startGroup(title: string): void;
  endGroup(): void;
  /** Asks the runner to mask `text` from now on, in the output of this step and all later ones. */
  addMask(text: string): void;
}

/**
 * Debug lines are written only when the runner asks for them.
 *
 * @param masking false outside a workflow: nobody would take the command out of the output that holds the secret
 */
export function runnerConsole(masking: boolean, terminal: NodeJS.WriteStream = process.stdout): Console {
  return {
    line: core.info,
    // Ends at the line's start: whatever is written next goes over it.
    progress: (text) => (terminal.isTTY ? void terminal.write(`\x1b[2K${text}\r`) : core.info(text)),
    annotation: (kind, text, title) => ANNOTATE[kind](text, title === undefined ? {} : { title }),
    debug: (text) => {
      if (core.isDebug()) core.debug(text);
    },
    startGroup: core.startGroup,
    endGroup: core.endGroup,
    addMask: (text) => {
      if (masking) core.setSecret(text);
    },
  };
}

/** Masks twice: by the runner, and by itself, because a run on a desk has no runner. */
export class RunLog implements Log {
  readonly #console: Console;
  readonly #forms = new Set<string>();
  #sorted: string[] = [];

  constructor(console: Console) {
    this.#console = console;
  }

  info(message: string): void {
    for (const line of this.redact(message).split(/\r\n|\r|\n/)) this.#console.line(inert(line));
  }

  progress(message: string): void {
    this.#console.progress(inert(this.redact(message).replaceAll(/[\r\n]+/g, ' ')));
  }

  notice(message: string): void {
    this.annotate('notice', message);
  }

  warning(message: string): void {
    this.annotate('warning', message);
  }

  error(message: string): void {
    this.annotate('error', message);
  }

  debug(message: string): void {
    this.#console.debug(this.redact(message));
  }

  /** An annotation of the run; of each kind the runner shows the first ten of a step. */
  annotate(kind: AnnotationKind, message: string, title?: string): void {
    const text = this.redact(message);
    const most = MAX_ANNOTATION_CHARACTERS - CUT.length;
    const short = text.length > MAX_ANNOTATION_CHARACTERS ? text.slice(0, most) + CUT : text;
    this.#console.annotation(kind, short, title === undefined ? undefined : this.redact(title));
  }

  async group<T>(title: string, body: () => Promise<T>): Promise<T> {
    this.#console.startGroup(this.redact(title));
    try {
      return await body();
    } finally {
      this.#console.endGroup();
    }
  }

  mask(secret: string): void {
    if (this.#forms.has(secret)) return;
    this.maskExactly(secretForms(secret));
  }

  /** Registers strings as they are: forms that were made already. */
  maskExactly(forms: readonly string[]): void {
    for (const form of forms) {
      if (form.trim() === '' || this.#forms.has(form)) continue;
      this.#forms.add(form);
      this.#console.addMask(form);
    }
    this.#sorted = [...this.#forms].sort((a, b) => b.length - a.length);
  }

  /** `text` with every registered secret replaced by `***`; for everything that leaves by another way than this log. */
  readonly redact = (text: string): string => redact(text, this.#sorted);
}

/**
 * Text from outside, such as the name of a table, must not become a command: the runner obeys lines that begin with
 * `::`, and `##[…]` anywhere in a line. A character without width in between takes that away.
 */
function inert(line: string): string {
  return line.replace(/^(\s*):(?=:)/, '$1:\u200B').replaceAll('##[', '##\u200B[');
}
