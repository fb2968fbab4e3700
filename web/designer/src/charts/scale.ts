/** From values to pixels, and the round numbers beside an axis. */

export interface Range {
  from: number;
  to: number;
}

/** The least range with all values; one of a single value gets room on both sides. */
export function rangeOf(values: number[], withZero = false): Range {
  const finite = values.filter(Number.isFinite);
  let from = withZero ? 0 : Infinity;
  let to = withZero ? 0 : -Infinity;
  for (const value of finite) {
    from = Math.min(from, value);
    to = Math.max(to, value);
  }
  if (from > to) return { from: 0, to: 1 };
  if (from < to) return { from, to };
  const room = from === 0 ? 1 : Math.abs(from) * 0.1;
  return { from: withZero ? Math.min(0, from) : from - room, to: to + room };
}

/** Round numbers within a range, about as many as asked for. */
export function ticks({ from, to }: Range, wanted = 5): number[] {
  const rough = (to - from) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999)!;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

export const scale =
  ({ from, to }: Range, start: number, end: number) =>
  (value: number): number =>
    start + ((value - from) / (to - from)) * (end - start);

/** A range whose ends are a little outside, so that no point sits on the frame. */
export function padded({ from, to }: Range, share = 0.06): Range {
  const room = (to - from) * share;
  return { from: from - room, to: to + room };
}

const suffixes: [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** A number as short as an axis wants it: 12.5k, 3.2M, 0.042. */
export function short(value: number): string {
  const size = Math.abs(value);
  for (const [unit, suffix] of suffixes)
    if (size >= unit * (unit === 1e3 ? 10 : 1)) return `${Number((value / unit).toPrecision(3))}${suffix}`;
  return `${Number(value.toPrecision(4))}`;
}

/** At most so many points of a curve: of each stretch the least and the greatest, so that no peak is lost. */
export function thinned<T extends { value: number }>(points: T[], most: number): T[] {
  if (points.length <= most) return points;
  const stretches = Math.max(1, Math.floor(most / 2));
  const kept: T[] = [];
  for (let index = 0; index < stretches; index++) {
    const part = points.slice(
      Math.floor((index * points.length) / stretches),
      Math.floor(((index + 1) * points.length) / stretches),
    );
    const order = part.map((_, place) => place).sort((a, b) => part[a]!.value - part[b]!.value);
    const ends = [...new Set([order[0]!, order.at(-1)!])].sort((a, b) => a - b);
    kept.push(...ends.map((place) => part[place]!));
  }
  return kept;
}
