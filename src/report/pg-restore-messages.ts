/** What pg_restore said, by how it was understood: what is not harmless in the open, the rest folded with its reasons. */
import type { ClassifiedMessage } from '../domain/recovery.ts';
import { countOf, formatCount } from '../domain/words.ts';
import { details, type Markdown } from './markdown.ts';

const MESSAGES_SHOWN = 50;

const SIGNS = { fatal: '❌ fatal', unknown: '⚠️ unknown' } as const;

/** Empty when it said nothing. */
export function messagesSection(messages: readonly ClassifiedMessage[], md: Markdown): string[] {
  if (messages.length === 0) return [];
  const counted = countEqual(messages);
  const grave = (['fatal', 'unknown'] as const).flatMap((kind) =>
    counted
      .filter((message) => message.kind === kind)
      .map(({ text, reason, times }) => [SIGNS[kind], md.code(text), md.text(reason + times)]),
  );
  const harmless = counted.filter(({ kind }) => kind === 'harmless');
  return [
    '### What pg_restore said',
    ...(grave.length === 0 ? [] : [shortened(['', 'message', 'what it means'], grave, md)]),
    ...(harmless.length === 0
      ? []
      : [
          details(
            countOf(harmless.length, 'harmless message'),
            shortened(
              ['message', 'why it is harmless'],
              harmless.map(({ text, reason, times }) => [md.code(text), md.text(reason + times)]),
              md,
            ),
          ),
        ]),
  ];
}

/** Each message once. `times` follows its reason: empty, or how often it was said. */
function countEqual(messages: readonly ClassifiedMessage[]): (ClassifiedMessage & { times: string })[] {
  const counts = new Map<string, { message: ClassifiedMessage; count: number }>();
  for (const message of messages) {
    const key = `${message.kind} ${message.text}`;
    counts.set(key, { message, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].map(({ message, count }) => ({
    ...message,
    times: count === 1 ? '' : ` (said ${formatCount(count)} times)`,
  }));
}

function shortened(headings: readonly string[], rows: readonly (readonly string[])[], md: Markdown): string {
  const more = rows.length - MESSAGES_SHOWN;
  const table = md.table(headings, rows.slice(0, MESSAGES_SHOWN));
  return more > 0 ? `${table}\n\nand ${formatCount(more)} more, in the log.` : table;
}
