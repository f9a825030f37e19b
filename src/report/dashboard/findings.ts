/** Everything that was found, worst first, with what to do. */
import type { SeriesStatus, StatusFinding, StatusReport } from '../../domain/status/model.ts';
import { countOf } from '../../domain/words.ts';
import { type Html, type Markup, NOTHING } from './markup.ts';
import { badge, LEVEL_TONES } from './words.ts';

/** More than that nobody reads, and the page stays small. */
const SHOWN = 300;

export function findingsSection({ findings }: StatusReport, markup: Markup): Html {
  const shown = findings.slice(0, SHOWN);
  const more = findings.length - shown.length;
  return markup.html`<section aria-labelledby="findings"><h2 id="findings">What was found</h2>
${findings.length === 0 ? markup.html`<p>Nothing that needs anybody.</p>` : NOTHING}
<ol class="findings">
${shown.map((finding, index) => item(finding, index, markup))}</ol>
${more > 0 ? markup.html`<p>${countOf(more, 'finding')} more, none of them worse, ${more === 1 ? 'is' : 'are'} in the job summary.</p>` : NOTHING}</section>
`;
}

function item({ code, level, series, seen, action }: StatusFinding, index: number, markup: Markup): Html {
  const tone = LEVEL_TONES[level];
  return markup.html`<li class="${tone}" id="finding-${index + 1}">${badge(tone, level, markup)} ${series === undefined ? NOTHING : markup.html`<strong>${series}</strong> `}<code class="muted small">${code}</code>
<p>${markup.prose(seen)}</p>
${action === '' ? NOTHING : markup.html`<p><strong>Do:</strong> ${markup.prose(action)}</p>`}</li>
`;
}

/** Where the findings of one series stand above. */
export function findingLinks({ findings, name }: SeriesStatus, report: StatusReport, markup: Markup): Html {
  if (findings.length === 0) return NOTHING;
  const links = report.findings
    .map((finding, index) => ({ finding, index }))
    .filter(({ finding, index }) => finding.series === name && index < SHOWN)
    .map(
      ({ finding: { code, level }, index }) =>
        markup.html`<li>${badge(LEVEL_TONES[level], level, markup)} <a href="#finding-${index + 1}">${code}</a></li>`,
    );
  return links.length === 0 ? NOTHING : markup.html`<ul class="legend" aria-label="Findings of ${name}">${links}</ul>`;
}
