/** Parsers of what an issue is labelled with and assigned to. */
import { type Parse, quoted, rejected, words } from './values.ts';

/** GitHub's own limits. */
const MAX_LABEL_CHARACTERS = 50;
const MAX_ASSIGNEES = 10;

export const issueLabels: Parse<readonly string[]> = words((text) => {
  if (text.length <= MAX_LABEL_CHARACTERS) return text;
  throw rejected(`${quoted(text)} is longer than the ${MAX_LABEL_CHARACTERS} characters that a label may have.`);
});

/** Logins, also written as mentions. `_` stands in those of enterprise users, `[bot]` in those of apps. */
const logins: Parse<readonly string[]> = words((text) => {
  const login = text.replace(/^@/, '');
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?$/.test(login)) return login;
  throw rejected(`${quoted(text)} is not the name of a GitHub account. Teams cannot be assigned.`);
});

export const assignees: Parse<readonly string[]> = (text, env) => {
  const given = logins(text, env);
  if (given.length <= MAX_ASSIGNEES) return given;
  throw rejected(`it names ${given.length} accounts, and GitHub assigns an issue to ${MAX_ASSIGNEES} at most.`);
};
