/** The colours of the dashboard, light and dark. A test computes the contrast of {@link TEXT_PAIRS} and {@link GRAPHIC_PAIRS}. */

export interface Colours {
  page: string;
  card: string;
  text: string;
  /** Of what is said by the way. */
  muted: string;
  /** Borders and grids, which say nothing by themselves. */
  rule: string;
  link: string;
  good: string;
  goodFill: string;
  doubt: string;
  doubtFill: string;
  bad: string;
  badFill: string;
  /** Neither good nor bad. */
  plain: string;
  plainFill: string;
  /** Lines of the charts. */
  first: string;
  second: string;
}

export const LIGHT: Colours = {
  page: '#f4f6f8',
  card: '#ffffff',
  text: '#1b212b',
  muted: '#535d6c',
  rule: '#d3d9e1',
  link: '#0b55b3',
  good: '#10602d',
  goodFill: '#dbf2e2',
  doubt: '#764800',
  doubtFill: '#ffedc9',
  bad: '#9c1420',
  badFill: '#fde1e0',
  plain: '#4a5463',
  plainFill: '#e9edf2',
  first: '#2f68b5',
  second: '#b04f08',
};

export const DARK: Colours = {
  page: '#0e1117',
  card: '#171c24',
  text: '#e7ebf1',
  muted: '#a7b0be',
  rule: '#323b48',
  link: '#86b7ff',
  good: '#84dfa0',
  goodFill: '#12361f',
  doubt: '#f4c76c',
  doubtFill: '#3b2c0a',
  bad: '#ffa29c',
  badFill: '#481a1c',
  plain: '#b4bdca',
  plainFill: '#252c37',
  first: '#7db0f7',
  second: '#f0a25e',
};

type Pair = readonly [ink: keyof Colours, ground: keyof Colours];

/** Text on its ground: WCAG 2 AA asks for 4.5. */
export const TEXT_PAIRS: readonly Pair[] = [
  ['text', 'page'],
  ['text', 'card'],
  ['text', 'goodFill'],
  ['text', 'doubtFill'],
  ['text', 'badFill'],
  ['text', 'plainFill'],
  ['muted', 'page'],
  ['muted', 'card'],
  ['link', 'page'],
  ['link', 'card'],
  ['link', 'badFill'],
  ['link', 'doubtFill'],
  ['good', 'card'],
  ['doubt', 'card'],
  ['bad', 'card'],
  ['good', 'goodFill'],
  ['doubt', 'doubtFill'],
  ['bad', 'badFill'],
  ['plain', 'plainFill'],
  ['muted', 'plainFill'],
];

/** Shapes that mean something: AA asks for 3. */
export const GRAPHIC_PAIRS: readonly Pair[] = [
  ['first', 'card'],
  ['second', 'card'],
  ['good', 'card'],
  ['doubt', 'card'],
  ['bad', 'card'],
  ['link', 'page'],
];
