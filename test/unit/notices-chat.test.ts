/** One message in Slack, Discord and Teams: within their limits, calling nobody. */
import { describe, expect, test } from 'vitest';
import type { Notice } from '../../src/report/notice.ts';
import { discordPayload } from '../../src/report/notices/discord.ts';
import { slackPayload } from '../../src/report/notices/slack.ts';
import { teamsPayload } from '../../src/report/notices/teams.ts';
import { ABOUT, ALL_LONG, failure, HOSTILE_NOTICE } from '../support/notices.ts';

describe('Slack', () => {
  const blocksOf = (notice: Notice) =>
    (slackPayload(notice) as { blocks: { type: string; text?: { type: string; text: string; verbatim?: boolean } }[] })
      .blocks;

  test('is sent blocks within its limits, however long the words are', () => {
    const blocks = blocksOf(ALL_LONG);
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const { type, text } of blocks) {
      if (text === undefined) continue;
      expect(text.text.length).toBeLessThanOrEqual(type === 'header' ? 150 : 3_000);
      expect(text.text.toWellFormed()).toBe(text.text);
    }
    expect(JSON.stringify(blocks.slice(1))).not.toMatch(/&(?!amp;|lt;|gt;)/);
  });

  test('calls nobody and shows no link of somebody else, whatever the words are', () => {
    const blocks = blocksOf(HOSTILE_NOTICE);
    const sections = blocks.flatMap(({ text }) => (text === undefined ? [] : [text]));
    for (const { type, text, verbatim } of sections) {
      expect(text).not.toMatch(/[<>]/);
      if (type === 'mrkdwn') expect(verbatim).toBe(true);
    }
    expect((slackPayload(HOSTILE_NOTICE) as { text: string }).text).not.toContain('<!');
    const links = JSON.stringify(blocks).match(/<[^>]*>/g);
    expect(links).toEqual([`<${ABOUT.runUrl}|The run>`, `<${ABOUT.issue?.url}|Issue 7>`]);
  });
});

describe('Discord', () => {
  interface Embed {
    title: string;
    description: string;
  }
  const sent = (notice: Notice) => discordPayload(notice) as { allowed_mentions: object; embeds: Embed[] };

  test('is sent an embed within its limits', () => {
    const { embeds } = sent(ALL_LONG);
    for (const { title, description } of embeds) {
      expect(title.length).toBeLessThanOrEqual(256);
      expect(description.length).toBeLessThanOrEqual(4_096);
      expect(description).toContain('**What to do**');
    }
  });

  test('calls nobody, whatever the words are', () => {
    const { allowed_mentions, embeds } = sent(HOSTILE_NOTICE);
    expect(allowed_mentions).toEqual({ parse: [] });
    expect(embeds[0]?.description).toContain('\\@everyone');
    expect(embeds[0]?.description).not.toMatch(/(?<!\\)\]\(http/);
  });
});

describe('Teams', () => {
  test('is sent a card of less than 28 KB, in which no words have a meaning', () => {
    expect(Buffer.byteLength(JSON.stringify(teamsPayload(ALL_LONG)))).toBeLessThan(28_000);
    const card = JSON.stringify(teamsPayload(HOSTILE_NOTICE));
    expect(card).not.toContain('"TextBlock"');
    expect(card).not.toContain('"url":"http://evil');
    expect(teamsPayload(failure())).toMatchObject({
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard' } }],
    });
  });
});
