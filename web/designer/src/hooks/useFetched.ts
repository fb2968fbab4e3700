import { useEffect, useMemo, useRef, useState } from 'react';
import { calmly } from './calmly';
import { onReturn } from './reach';

/** Events come by the hundred; the server answers a page some fifty times a second. */
const pause = 300;

interface Fetched<T> {
  data?: T;
  error?: string;
  refresh: () => void;
}

/** What a call answers, kept while it is asked again. An answer that was overtaken by a later one is dropped. */
export function useFetched<T>(call: () => Promise<T>, key: string): Fetched<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: string }>({ key });
  const latest = useRef({ call, turn: 0 });
  latest.current.call = call;

  const asking = useMemo(() => {
    const ask = () => {
      const turn = ++latest.current.turn;
      const settle = (next: { data?: T; error?: string }) => {
        if (turn === latest.current.turn)
          setState((before) => ({ key, data: before.key === key ? before.data : undefined, ...next }));
      };
      return latest.current.call().then(
        (data) => settle({ data, error: undefined }),
        (error: unknown) => settle({ error: error instanceof Error ? error.message : `${error}` }),
      );
    };
    return calmly(ask, pause);
  }, [key]);

  useEffect(() => {
    asking.now();
    const forget = onReturn(asking.now);
    return () => {
      forget();
      asking.stop();
    };
  }, [asking]);
  const refresh = asking.soon;
  return state.key === key ? { data: state.data, error: state.error, refresh } : { refresh };
}
