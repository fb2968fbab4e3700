import { useCallback, useEffect, useRef, useState } from 'react';
import { onReturn } from './reach';

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

  const refresh = useCallback(() => {
    const turn = ++latest.current.turn;
    const settle = (next: { data?: T; error?: string }) => {
      if (turn === latest.current.turn)
        setState((before) => ({ key, data: before.key === key ? before.data : undefined, ...next }));
    };
    latest.current.call().then(
      (data) => settle({ data, error: undefined }),
      (error: unknown) => settle({ error: error instanceof Error ? error.message : `${error}` }),
    );
  }, [key]);

  useEffect(refresh, [refresh]);
  useEffect(() => onReturn(refresh), [refresh]);
  return state.key === key ? { data: state.data, error: state.error, refresh } : { refresh };
}
