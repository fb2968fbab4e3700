/** Undo and redo by whole documents. They share what did not change, so a step costs little. */

export interface History<T> {
  past: T[];
  present: T;
  future: T[];
  /** What the last step was about: steps about the same thing in quick succession are one. */
  subject?: string;
  at: number;
}

const longest = 200;
const pause = 1000;

export const begin = <T>(present: T): History<T> => ({ past: [], present, future: [], at: 0 });

/** @param subject Of typing and dragging: `parameter prune sparsity`. Without one the step stands alone. */
export function record<T>(history: History<T>, next: T, subject?: string, now: number = Date.now()): History<T> {
  if (next === history.present) return history;
  const goesOn = subject !== undefined && subject === history.subject && now - history.at < pause;
  const past = goesOn ? history.past : [...history.past, history.present].slice(-longest);
  return { past, present: next, future: [], subject, at: now };
}

export function undo<T>(history: History<T>): History<T> {
  const previous = history.past.at(-1);
  return previous === undefined
    ? history
    : { past: history.past.slice(0, -1), present: previous, future: [history.present, ...history.future], at: 0 };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future;
  return next === undefined ? history : { past: [...history.past, history.present], present: next, future, at: 0 };
}
