/** A call that is wished for more often than it can be made. */

export interface Calm {
  /** At once, whatever is under way. */
  now: () => void;
  /** At once when nothing is under way; else once more, for all who wished meanwhile. */
  soon: () => void;
  /** Nothing more, until `now`. */
  stop: () => void;
}

/** A call that hangs does not hold up the next one for longer, ms. */
const patience = 10_000;

/** @param pause after an answer, before what was wished for meanwhile is called again, ms. */
export function calmly(call: () => Promise<unknown>, pause: number): Calm {
  let [turn, busy, again] = [0, false, false];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const freeAfter = (time: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      busy = false;
      if (again) now();
    }, time);
  };
  const now = () => {
    const mine = ++turn;
    [busy, again] = [true, false];
    freeAfter(patience);
    const rest = () => {
      if (mine === turn) freeAfter(pause);
    };
    call().then(rest, rest);
  };
  return {
    now,
    // Nothing comes back: an effect that is this call would take it for its end.
    soon: () => {
      if (busy) again = true;
      else now();
    },
    stop: () => {
      clearTimeout(timer);
      [turn, busy, again] = [turn + 1, false, false];
    },
  };
}
