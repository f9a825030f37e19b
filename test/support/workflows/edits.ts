/** What a team changes of a template that it copied: what the comments in it say. */

export type Edit = (workflow: string) => string;

/** Inputs that the action's steps get besides; values may have several lines. */
export function withInputs(added: Readonly<Record<string, string>>): Edit {
  const inputs = Object.entries(added).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
  return (workflow) =>
    workflow.replaceAll(/^( +)command: .*\n/gm, (line, indent: string) => [line, ...inputs].join(indent));
}

/** Every line that is commented out and begins with one of these is none any more. Throws where there is no such line. */
export function uncommented(...starts: readonly string[]): Edit {
  return (workflow) =>
    starts.reduce((text, start) => {
      const edited = text.replaceAll(`# ${start}`, start);
      if (edited === text) throw new Error(`nothing to uncomment begins with ${start}`);
      return edited;
    }, workflow);
}

/** Every such line goes. */
export function withoutLines(pattern: RegExp): Edit {
  return (workflow) =>
    workflow
      .split('\n')
      .filter((line) => !pattern.test(line))
      .join('\n');
}

/** One after the other. */
export function edits(...all: readonly Edit[]): Edit {
  return (workflow) => all.reduce((text, edit) => edit(text), workflow);
}
