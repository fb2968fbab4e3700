/** Which of several are worth having: no other is both as small, or as fast, and as good. */

export interface Trade {
  /** What is paid for quality: parameters, or speed, of which there cannot be too much. */
  size: number;
  cost: number;
}

/** Those on the front, the smallest first; where more is better, the greatest first. */
export function paretoFront<T extends Trade>(all: T[], moreIsBetter = false): T[] {
  const sorted = [...all].sort((a, b) => (moreIsBetter ? b.size - a.size : a.size - b.size) || a.cost - b.cost);
  let best = Infinity;
  return sorted.filter((one) => {
    if (!Number.isFinite(one.cost) || one.cost >= best) return false;
    best = one.cost;
    return true;
  });
}

/** The front as stairs: between two of them nothing better than the first is known. */
export const stairs = (front: Trade[]): Trade[] =>
  front.flatMap((one, index) => {
    const before = front[index - 1];
    return before ? [{ size: one.size, cost: before.cost }, one] : [one];
  });
