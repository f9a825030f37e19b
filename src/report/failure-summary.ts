/** The job summary of a run that failed. */
import type { Finding } from '../domain/findings.ts';
import { type FailureWords, sentence } from './failure-words.ts';
import { Markdown } from './markdown.ts';
import { findingsSection, stepsSection } from './sections.ts';

/** Pure; every word from outside is redacted and escaped. */
export function failureSummary(
  words: FailureWords,
  findings: readonly Finding[],
  redact: (text: string) => string,
): string {
  const md = new Markdown(redact);
  return [
    `## ❌ ${md.text(words.title)}`,
    `**What happened:** ${md.text(sentence(words.happened))}`,
    ...list(words.problems, md),
    ...(words.causes.length === 0 ? [] : ['**Because:**', ...list(words.causes, md)]),
    `**What is safe:** ${md.text(words.safety)}`,
    `**What to do:** ${md.text(words.action)}`,
    ...stepsSection(words.toType, md),
    ...findingsSection(findings, md),
  ].join('\n\n');
}

function list(items: readonly string[], md: Markdown): string[] {
  return items.length === 0 ? [] : [items.map((item) => `- ${md.text(item)}`).join('\n')];
}
