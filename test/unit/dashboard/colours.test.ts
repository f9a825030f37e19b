import { describe, expect, test } from 'vitest';
import { type Colours, DARK, GRAPHIC_PAIRS, LIGHT, TEXT_PAIRS } from '../../../src/report/dashboard/colours.ts';

/** As WCAG 2.2 defines it: 1 to 21. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe.each<[string, Colours]>([
  ['light', LIGHT],
  ['dark', DARK],
])('The %s colours', (_, colours) => {
  test.each(TEXT_PAIRS)('%s on %s can be read', (ink, ground) => {
    expect(contrast(colours[ink], colours[ground])).toBeGreaterThanOrEqual(4.5);
  });

  test.each(GRAPHIC_PAIRS)('a shape of %s on %s can be told', (ink, ground) => {
    expect(contrast(colours[ink], colours[ground])).toBeGreaterThanOrEqual(3);
  });
});

test('contrast is measured as known pairs have it, and grey on white is found out', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
  expect(contrast('#999999', '#ffffff')).toBeLessThan(4.5);
});
