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

/** In the order given, so what matters most comes first; a name that would cover another one is left out. */
export function placeLabels(points: { x: number; y: number; label: string }[], width: number): (Placed | undefined)[] {
  const taken: { from: number; to: number; y: number }[] = [];
  return points.map(({ x, y, label }) => {
    const text = label.length > longest ? `${label.slice(0, longest - 1)}…` : label;
    const anchor = x + 9 + text.length * letter > width ? 'end' : 'start';
    const at = anchor === 'start' ? x + 9 : x - 9;
    const box = {
      from: anchor === 'start' ? at : at - text.length * letter,
      to: anchor === 'start' ? at + text.length * letter : at,
      y: y - 7,
    };
    if (taken.some((other) => Math.abs(other.y - box.y) < line && other.from < box.to && box.from < other.to))
      return undefined;
    taken.push(box);
    return { x: at, y: box.y, anchor, text };
  });
}
