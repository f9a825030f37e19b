/**
 * A message for a webhook of Discord. Limits: https://discord.com/developers/docs/resources/message#embed-object-embed-limits
 * (title 256, description 4,096, 6,000 in all embeds).
 */
import { type Notice, sectionsOf, signOf } from '../notice.ts';
import { fitted } from './fit.ts';

const MAX_TITLE = 256;
const MAX_DESCRIPTION = 4_096;
/** Of one section, so that all of them are within the description. */
const MAX_SECTION = 1_000;
const COLOURS = { critical: 0xb71c1c, warning: 0xf9a825, info: 0x1565c0 };
const GREEN = 0x2e7d32;
const GREY = 0x546e7a;

export function discordPayload(notice: Notice): object {
  const { about } = notice;
  const link = about.issue?.url ?? about.runUrl;
  const sections = sectionsOf(notice).map(
    ({ heading, text }) => `**${heading}**\n${fitted(text, MAX_SECTION, escapeDiscord)}`,
  );
  const why = `Told because: ${fitted(notice.reason, 300, escapeDiscord)}.`;
  const fitting = sections.filter((_, index) => lengthOf(sections.slice(0, index + 1)) + why.length <= MAX_DESCRIPTION);
  return {
    // Whatever stands in the text: nobody is called by it.
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: fitted(`${signOf(notice)} ${notice.title}`, MAX_TITLE, escapeDiscord),
        description: [...fitting, why].join('\n\n'),
        color: colourOf(notice),
        timestamp: about.at.toISOString(),
        ...(link === undefined ? {} : { url: encodeURI(link) }),
      },
    ],
  };
}

function lengthOf(sections: readonly string[]): number {
  return sections.reduce((sum, section) => sum + section.length + 2, 0);
}

function colourOf({ level, kind }: Notice): number {
  if (level !== undefined) return COLOURS[level];
  return kind === 'recovery' || kind === 'success' ? GREEN : GREY;
}

/** What stands between two backticks is shown as code, where nothing else has a meaning. */
function escapeDiscord(text: string): string {
  return text
    .split(/(`[^`\n]+`)/)
    .map((part) => (/^`[^`\n]+`$/.test(part) ? part : part.replaceAll(/[\\*_~|#<>[\]()@`]/g, '\\$&')))
    .join('');
}
