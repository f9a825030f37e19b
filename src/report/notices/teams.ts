/**
 * An Adaptive Card for Microsoft Teams, as its workflows ("When a Teams webhook request is received") and its older
 * connectors take it: at most 28 KB, https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
 */
import { linksOf, type Notice, sectionsOf, signOf } from '../notice.ts';
import { fitted } from './fit.ts';

const MAX_BYTES = 27_000;
const MAX_TITLE = 300;
/** Of one section, the first with which the whole fits. */
const MAX_SECTIONS = [3_000, 1_500, 700, 300];

export function teamsPayload(notice: Notice): object {
  const payloads = MAX_SECTIONS.map((most) => payloadWith(notice, most));
  return payloads.find((each) => Buffer.byteLength(JSON.stringify(each)) <= MAX_BYTES) ?? payloads.at(-1) ?? {};
}

function payloadWith(notice: Notice, most: number): object {
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      plain(fitted(`${signOf(notice)} ${notice.title}`, MAX_TITLE), { weight: 'Bolder', size: 'Medium' }),
      ...sectionsOf(notice).flatMap(({ heading, text }) => [
        plain(heading, { weight: 'Bolder' }),
        ...fitted(text, most)
          .split('\n')
          .map((line) => plain(line)),
      ]),
      plain(fitted(`Told because: ${notice.reason}.`, MAX_TITLE), { isSubtle: true, size: 'Small' }),
    ],
    actions: linksOf(notice).map(({ title, url }) => ({ type: 'Action.OpenUrl', title, url: encodeURI(url) })),
  };
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card };
  return { type: 'message', attachments: [attachment] };
}

/** In a run of text, unlike in a block, neither Markdown nor mentions have a meaning. */
function plain(text: string, style: Record<string, unknown> = {}): object {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: text === '' ? ' ' : text, ...style }] };
}
