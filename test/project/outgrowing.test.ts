/** docs/outgrowing.md promises times: they must follow from its speeds, and its speeds from the benchmark. */
import { expect, test } from 'vitest';
import { readDocument, section, tableRows } from '../support/markdown.ts';

const performance = readDocument('docs/performance.md');
const document = readDocument('docs/outgrowing.md');
const prose = document.replaceAll(/\s+/g, ' ');
const [SLOW, FAST] = [50, 100];

/** MiB of rows a second of the contender that proves and encrypts. */
function measured(heading: RegExp): number {
  const title = performance.split('\n').find((line) => heading.test(line)) ?? '';
  const gib = Number(/([\d.]+) GiB of rows/.exec(title)?.[1]);
  const row = tableRows(section(performance, title.replace(/^#+ /, ''))).find(
    ([name]) => name === 'ours: proof + encryption + upload',
  );
  return (gib * 1024) / Number(/[\d.]+/.exec(row?.[1] ?? '')?.[0]);
}

test('the speeds are not more than what was measured', () => {
  expect(measured(/^### All on one machine, [\d.]+ GiB/)).toBeGreaterThan(FAST);
  expect(measured(/^### Database behind 60 MB\/s/)).toBeGreaterThan(SLOW);
});

test('every time in the table is size through speed', () => {
  const rows = tableRows(section(document, 'How long it takes'));
  expect(rows.length).toBeGreaterThan(5);
  for (const [size = '', ...times] of rows) {
    const minutes = [FAST, SLOW].map((speed) => Math.round((Number.parseInt(size, 10) * 1024) / speed / 60));
    const words = minutes.map((each) => `${Math.floor(each / 60)}:${String(each % 60).padStart(2, '0')}`);
    expect(times, size).toEqual(words);
  }
});

test('what fits into the deadline is what the slower speed makes of it', () => {
  expect(prose).toContain(`330 minutes are ${Math.round((330 * 60 * SLOW) / 1024)} GiB`);
});
