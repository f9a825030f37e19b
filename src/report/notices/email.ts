/** A mail: subject, plain text, and the same as simple HTML without anything that is loaded. */
import { linksOf, type Notice, plainText, sectionsOf, signOf } from '../notice.ts';
import { fitted } from './fit.ts';

/** RFC 5322, 2.1.1: a line has at most 998 characters; this is what people can read. */
const MAX_SUBJECT = 200;
const MAX_SECTION = 8_000;

export interface EmailText {
  /** One line. */
  subject: string;
  text: string;
  html: string;
}

export function emailText(notice: Notice): EmailText {
  const sections = Object.fromEntries(sectionsOf(notice).map(({ key, text }) => [key, fitted(text, MAX_SECTION)]));
  const short = { ...notice, sections };
  return {
    // Whatever would begin another header is a space since the title was made.
    subject: fitted(`${signOf(notice)} ${notice.title}`, MAX_SUBJECT).replaceAll(/[\r\n]+/g, ' '),
    text: `${notice.title}\n\n${plainText(short)}\n`,
    html: htmlOf(short),
  };
}

function htmlOf(notice: Notice): string {
  const links = linksOf(notice).map(({ title, url }) => `<a href="${escapeHtml(url)}">${title}</a>`);
  const sections = sectionsOf(notice).map(
    ({ heading, text }) =>
      `<h3>${escapeHtml(heading)}</h3>\n<p>${escapeHtml(text).replaceAll(/\r\n|\r|\n/g, '<br>\n')}</p>`,
  );
  return [
    '<!doctype html>',
    `<html><body style="font-family: sans-serif">`,
    `<h2>${escapeHtml(`${signOf(notice)} ${notice.title}`)}</h2>`,
    ...sections,
    ...(links.length === 0 ? [] : [`<p>${links.join(' · ')}</p>`]),
    `<p><small>Told because: ${escapeHtml(notice.reason)}.</small></p>`,
    '</body></html>',
    '',
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
