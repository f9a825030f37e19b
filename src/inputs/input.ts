/** What an input is: its words, its parser, and the commands that use it. */
import type { Parse } from './values.ts';

export const COMMANDS = ['backup', 'restore', 'drill', 'prune', 'status', 'check'] as const;
export type CommandName = (typeof COMMANDS)[number];

export interface InputSpec<T> {
  /** Commands that use it; all, when absent. */
  commands?: readonly CommandName[];
  /** For people; Markdown. Sentences without the default. */
  description: string;
  /** What an empty input means, in words. */
  whenEmpty: string;
  /**
   * The `default:` in action.yml, which the runner fills in: nobody can tell any more whether it was given. Only for
   * what the runner alone knows.
   */
  actionDefault?: string;
  /** Its text is handed to the parser as it is; everything else is trimmed first. */
  verbatim?: boolean;
  parse: Parse<T>;
}

/** The names and facts of all inputs, without their types. */
export type InputSpecs = Readonly<Record<string, InputSpec<unknown>>>;

/** Lets each entry of a table infer its own type. */
export function input<T>(spec: InputSpec<T>): InputSpec<T> {
  return spec;
}

/** Whether `command` uses the input. */
export function isUsedBy({ commands }: Pick<InputSpec<unknown>, 'commands'>, command: CommandName): boolean {
  return commands === undefined || commands.includes(command);
}
