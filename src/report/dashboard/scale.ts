/** Axes: round numbers for bytes and seconds. */

export interface Scale {
  /** The upper end. The lower one is 0. */
  top: number;
  /** Ascending, from 0 to `top`. */
  ticks: readonly { value: number; label: string }[];
}

interface Unit {
  size: number;
  name: string;
}

const BYTES: readonly Unit[] = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].map((name, power) => ({
  size: 1024 ** power,
  name,
}));
const SECONDS: readonly Unit[] = [
  { size: 1, name: 's' },
  { size: 60, name: 'min' },
  { size: 3600, name: 'h' },
];
/** In one unit. */
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];
const STEPS_OF_SIXTY = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30];
const BEYOND = 1000;
const MOST_INTERVALS = 4;

export function bytesScale(most: number): Scale {
  return scale(most, BYTES, () => STEPS);
}

export function secondsScale(most: number): Scale {
  return scale(most, SECONDS, ({ name }) => (name === 'h' ? STEPS : STEPS_OF_SIXTY));
}

function scale(most: number, units: readonly Unit[], stepsOf: (unit: Unit) => readonly number[]): Scale {
  const needed = Number.isFinite(most) && most > 0 ? most : 1;
  const unit = units.findLast(({ size }) => size <= needed) ?? (units[0] as Unit);
  const inUnits = needed / unit.size;
  let step = stepsOf(unit).find((each) => each * MOST_INTERVALS >= inUnits) ?? BEYOND;
  while (step * MOST_INTERVALS < inUnits) step *= 10;
  const intervals = Math.max(1, Math.ceil(inUnits / step - 1e-9));
  return {
    top: intervals * step * unit.size,
    ticks: Array.from({ length: intervals + 1 }, (_, index) => ({
      value: index * step * unit.size,
      label: index === 0 ? '0' : `${Number((index * step).toFixed(1))} ${unit.name}`,
    })),
  };
}
