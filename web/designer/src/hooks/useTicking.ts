import { useEffect, useRef } from 'react';

/** Calls again and again while it is on; at no time while the page is hidden. */
export function useTicking(call: () => void, milliseconds: number, on = true): void {
  const latest = useRef(call);
  latest.current = call;
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => {
      if (!window.document.hidden) latest.current();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds, on]);
}
