/**
 * A message in Slack's Block Kit. Limits: https://docs.slack.dev/reference/block-kit/blocks/header-block (150
 * characters), …/section-block (3,000), …/blocks (50 blocks); escaping: https://docs.slack.dev/messaging/formatting-message-text
 */
import { linksOf, type Notice, sectionsOf, signOf } from '../notice.ts';
import { fitted } from './fit.ts';

const MAX_HEADER = 150;
const MAX_SECTION = 3_000;
/** Of the line that notifications show; far below what Slack cuts. */
const MAX_FALLBACK = 500;

export function slackPayload(notice: Notice): object {
  const title = `${signOf(notice)} ${notice.title}`;
  return {
    text: fitted(title, MAX_FALLBACK, escapeSlack),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: fitted(title, MAX_HEADER, withoutBrackets), emoji: false } },
      ...sectionsOf(notice).map(({ heading, text }) => section(`*${heading}*\n`, text)),
      { type: 'context', elements: [markdown(contextOf(notice))] },
    ],
  };
}

function section(opening: string, text: string): object {
  return { type: 'section', text: markdown(`${opening}${fitted(text, MAX_SECTION - opening.length, escapeSlack)}`) };
}

/** `verbatim`: names that begin with `@` or `#`, and addresses, stay text. */
function markdown(text: string): object {
  return { type: 'mrkdwn', text, verbatim: true };
}

function contextOf(notice: Notice): string {
  const links = linksOf(notice).map(({ title, url }) => `<${encodeURI(url)}|${title}>`);
  return [...links, fitted(`Told because: ${notice.reason}.`, 300, escapeSlack)].join('  ·  ');
}

/** These three begin links and mentions, `<!channel>` too; nothing else does where `verbatim` is set. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Headers are plain text, of which nobody says whether entities are resolved in it. */
function withoutBrackets(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}
