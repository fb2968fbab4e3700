/** Names beside points, where there is room for them. */

interface Placed {
  /** Where the name begins, or ends where it is on the left of its point. */
  x: number;
  y: number;
  anchor: 'start' | 'end';
  text: string;
}

const letter = 6.2;
const line = 12;
const longest = 26;

const reach = 5;

/**
 * In the order given, so what matters most comes first: above its point or below it, on the right or on the left; a name that
 * would cover another one, or another point, wherever it stands is left out.
 */
export function placeLabels(points: { x: number; y: number; label: string }[], width: number): (Placed | undefined)[] {
  const taken: { from: number; to: number; y: number }[] = [];
  return points.map(({ x, y, label }) => {
    const text = label.length > longest ? `${label.slice(0, longest - 1)}…` : label;
    const length = text.length * letter;
    const onRight = x + 9 + length <= width;
    for (const down of [-7, 15])
      for (const anchor of onRight ? (['start', 'end'] as const) : (['end'] as const)) {
        const at = anchor === 'start' ? x + 9 : x - 9;
        const box = { from: anchor === 'start' ? at : at - length, to: anchor === 'start' ? at + length : at, y: y + down };
        const isFree =
          // Where there is no room on either side, a name that begins outside is better than none.
          (box.from >= 0 || !onRight) &&
          taken.every((other) => Math.abs(other.y - box.y) >= line || other.from >= box.to || box.from >= other.to) &&
          points.every(
            (point) =>
              (point.x === x && point.y === y) ||
              Math.abs(point.y - (box.y - line / 3)) >= line / 2 + reach ||
              point.x + reach <= box.from ||
              point.x - reach >= box.to,
          );
        if (!isFree) continue;
        taken.push(box);
        return { x: at, y: box.y, anchor, text };
      }
    return undefined;
  });
}
