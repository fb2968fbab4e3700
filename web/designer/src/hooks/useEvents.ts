import { useEffect, useRef } from 'react';
import type { ServerEvent } from '../api';
import { cameBack } from './reach';

const listeners = new Set<(event: ServerEvent) => void>();
let source: EventSource | undefined;

function listen(listener: (event: ServerEvent) => void): () => void {
  listeners.add(listener);
  if (!source) {
    source = new EventSource('/api/events');
    let broken = false;
    source.onerror = () => (broken = true);
    // What happened while the connection was broken was not said.
    source.onopen = () => {
      if (broken) cameBack();
      broken = false;
    };
    source.onmessage = ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as ServerEvent;
      listeners.forEach((one) => one(event));
    };
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    source?.close();
    source = undefined;
  };
}

/** Calls back for every event of the server; one connection for the whole page. It connects again by itself. */
export function useEvents(listener: (event: ServerEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => listen((event) => latest.current(event)), []);
}
