import { useEffect, useRef, useState } from 'react';
import type { LogLine } from '../api';

/** Log lines that follow the newest one, until somebody scrolls up to read. */
export function Logs({ lines, error }: { lines: LogLine[]; error?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  useEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follows]);
  return (
    <div className="logs">
      <div
        ref={box}
        className="log-lines"
        role="log"
        aria-label="Log"
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
          setFollows(scrollHeight - scrollTop - clientHeight < 24)
        }
      >
        {lines.map((line) => (
          <div key={line.id}>
            <time dateTime={line.at}>{new Date(line.at).toLocaleTimeString()}</time>
            <b>{line.stage}</b>
            <span>{line.text}</span>
          </div>
        ))}
        {lines.length === 0 && <p className="empty">{error ?? 'No line yet.'}</p>}
      </div>
      {!follows && (
        <button type="button" className="small follow" onClick={() => setFollows(true)}>
          Follow
        </button>
      )}
    </div>
  );
}
