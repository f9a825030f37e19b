/** The action's log as a person reads it in a runner's page, line by line while it is written. */
import { parseCommand } from '../workflow-commands.ts';

const WORDS: Readonly<Record<string, string>> = { error: 'ERROR', warning: 'WARNING', notice: 'NOTICE' };

/** Carries workflow commands out: groups become headings, annotations words, and what is masked becomes `***`. */
export class ActionLog {
  readonly #masks: string[] = [];
  #inGroup = false;

  /** What to show of one line of standard output; often nothing. */
  read(line: string): string[] {
    const command = parseCommand(line);
    if (command === undefined) return [`${this.#inGroup ? '  ' : ''}${this.#masked(line)}`];
    const { name, message, properties } = command;
    if (name === 'add-mask') this.#mask(message);
    if (name === 'group' || name === 'endgroup') this.#inGroup = name === 'group';
    if (name === 'group') return [this.#masked(message)];
    const word = WORDS[name];
    if (word === undefined) return [];
    const title = properties.title === undefined ? word : `${word} ${properties.title}`;
    return [`${title}:`, ...message.split('\n').map((part) => `  ${part}`)].map((part) => this.#masked(part));
  }

  #mask(value: string): void {
    const parts = [value, ...value.split(/[\r\n]+/)].map((part) => part.trim()).filter((part) => part !== '');
    this.#masks.push(...parts);
    this.#masks.sort((left, right) => right.length - left.length);
  }

  #masked(text: string): string {
    return this.#masks.reduce((rest, mask) => rest.replaceAll(mask, '***'), text);
  }
}
