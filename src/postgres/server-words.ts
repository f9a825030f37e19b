/** A server's message without what it may quote of the data. */
import { messageOf } from '../domain/errors.ts';
import { sqlState } from './session.ts';

/** Data exceptions, violated constraints, and what a trigger or function raised in its own words. */
const MAY_QUOTE_ROWS = ['22', '23', 'P0'];

/** On one line. Of errors that quote values only the part before the value, with the SQLSTATE behind all. */
export function serverWords(error: unknown): string {
  const state = sqlState(error);
  const message = messageOf(error).replaceAll(/\s*[\r\n]+\s*/g, ' ');
  if (state === undefined) return message;
  const quotes = MAY_QUOTE_ROWS.includes(state.slice(0, 2));
  const words = quotes ? (/^[^:"'«(]*/.exec(message)?.[0].trim() ?? '') : message;
  return `${words === '' ? 'an error' : words} (SQLSTATE ${state})`;
}
