/** Pictures over time as SVG, drawn for the width of a phone: wider screens put them beside each other. */
import type { RecoveryVerdict } from '../../domain/recovery.ts';
import { dayOf } from '../../domain/time.ts';
import { Html, type Markup } from './markup.ts';
import type { Scale } from './scale.ts';

const WIDTH = 340;
const HEIGHT = 150;
const LEFT = 52;
const RIGHT = WIDTH - 10;
const TOP = 10;
const BOTTOM = HEIGHT - 22;
/** More dots than that run together; the line alone says as much. */
const MOST_DOTS = 30;

/** From the first thing that is drawn until now, so that silence shows. */
export interface Period {
  from: Date;
  to: Date;
}

export interface Line {
  /** As the style sheet and the caption name it. */
  style: 'first' | 'second';
  points: readonly { at: Date; value: number }[];
}

export interface Mark {
  at: Date;
  verdict: RecoveryVerdict;
  /** Absent: it stands on the axis. */
  value?: number;
}

export interface Frame {
  /** Begins the ids in the picture; once on the page. */
  id: string;
  title: string;
  /** The picture in words, for those who do not see it. */
  description: string;
  period: Period;
  scale: Scale;
}

export function lineChart(frame: Frame, lines: readonly Line[], markup: Markup): Html {
  const { x, y } = mapping(frame);
  const drawn = lines.map(({ style, points }) => {
    // Numbers alone; as text it would be cut.
    const path = points.map(({ at, value }) => `${x(at)},${y(value)}`).join(' ');
    const shown = points.length > MOST_DOTS ? points.slice(-1) : points;
    const dots = shown.map(
      ({ at, value }) => markup.html`<circle class="dot ${style}" cx="${x(at)}" cy="${y(value)}" r="2.5"/>`,
    );
    return markup.html`<polyline class="line ${style}${style === 'second' ? ' dashed' : ''}" points="${new Html(path)}"/>${dots}`;
  });
  return picture(frame, drawn, markup);
}

/** A stem for each, whose head tells the verdict by its shape. */
export function markChart(frame: Frame, marks: readonly Mark[], markup: Markup): Html {
  const { x, y } = mapping(frame);
  const drawn = marks.map(({ at, verdict, value }) => {
    const [cx, cy] = [x(at), y(value ?? 0)];
    const stem = value === undefined ? undefined : markup.html`<path class="stem" d="M${cx} ${y(0)}V${cy}"/>`;
    return markup.html`${stem}${head(verdict, cx, cy, markup)}`;
  });
  return picture(frame, drawn, markup);
}

/** The shape of a verdict, in the middle of a picture of its own. */
export function markKey(verdict: RecoveryVerdict, markup: Markup): Html {
  return markup.html`<svg class="key" viewBox="0 0 26 12" aria-hidden="true">${head(verdict, 13, 6, markup)}</svg>`;
}

export function lineKey(style: Line['style'], markup: Markup): Html {
  return markup.html`<svg class="key" viewBox="0 0 26 10" aria-hidden="true"><path class="line ${style}${style === 'second' ? ' dashed' : ''}" d="M2 5H24"/></svg>`;
}

function head(verdict: RecoveryVerdict, cx: number, cy: number, markup: Markup): Html {
  if (verdict === 'passed') return markup.html`<circle class="mark-passed" cx="${cx}" cy="${cy}" r="4"/>`;
  if (verdict === 'partial') return markup.html`<path class="mark-partial" d="M${cx - 5} ${cy + 4}h10l-5-9z"/>`;
  return markup.html`<path class="mark-failed" d="M${cx - 4} ${cy - 4}l8 8m0-8l-8 8"/>`;
}

function picture(frame: Frame, drawn: readonly Html[], markup: Markup): Html {
  const { id, title, description, period, scale } = frame;
  const { y } = mapping(frame);
  const grid = scale.ticks.map(
    ({ value, label }) =>
      markup.html`<path class="grid" d="M${LEFT} ${y(value)}H${RIGHT}"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${label}</text>`,
  );
  return markup.html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-words"><title id="${id}-title">${title}</title><desc id="${id}-words">${description}</desc>
${grid}<text x="${LEFT}" y="${HEIGHT - 5}">${dayOf(period.from)}</text><text x="${RIGHT}" y="${HEIGHT - 5}" text-anchor="end">${dayOf(period.to)}</text>
${drawn}</svg>`;
}

function mapping({ period: { from, to }, scale }: Frame): { x(at: Date): number; y(value: number): number } {
  const span = to.getTime() - from.getTime();
  return {
    x: (at) => (span <= 0 ? RIGHT : tenth(LEFT + within((at.getTime() - from.getTime()) / span) * (RIGHT - LEFT))),
    y: (value) => tenth(BOTTOM - within(value / scale.top) * (BOTTOM - TOP)),
  };
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
