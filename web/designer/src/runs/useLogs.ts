import { useCallback, useEffect, useRef, useState } from 'react';
import { api, type LogLine } from '../api';

/** The log lines of a run, or of one of its stages; `more` fetches what came after. */
export function useLogs(id: string, stage: string | undefined): { lines: LogLine[]; error?: string; more: () => void } {
  const [state, setState] = useState<{ lines: LogLine[]; error?: string }>({ lines: [] });
  const turn = useRef({ key: '', last: 0, busy: false, again: false });
  const key = `${id} ${stage ?? ''}`;

  const more = useCallback(async () => {
    const now = turn.current;
    if (now.busy) {
      now.again = true;
      return;
    }
    now.busy = true;
    try {
      do {
        now.again = false;
        const lines = await api.logs(id, { stage, after: now.last || undefined });
        if (turn.current !== now) return;
        const last = lines.at(-1)?.id;
        if (last === undefined) break;
        now.last = last;
        now.again ||= lines.length >= 500;
        setState((before) => ({ lines: [...before.lines, ...lines].slice(-5000) }));
      } while (now.again);
    } catch (error) {
      if (turn.current === now)
        setState((before) => ({ ...before, error: error instanceof Error ? error.message : `${error}` }));
    } finally {
      now.busy = false;
    }
  }, [id, stage]);

  useEffect(() => {
    turn.current = { key, last: 0, busy: false, again: false };
    setState({ lines: [] });
    void more();
  }, [key, more]);
  return { ...state, more: () => void more() };
}
