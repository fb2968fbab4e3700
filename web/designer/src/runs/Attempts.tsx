import { useEffect } from 'react';
import { api, type StageView } from '../api';
import { useFetched } from '../hooks/useFetched';
import { duration, when } from '../parts/format';

/** How often a stage was tried, where, and what became of it. */
export function Attempts({ run, stage }: { run: string; stage: StageView }) {
  const { data, error, refresh } = useFetched(() => api.attempts(run, stage.id), `attempts ${run} ${stage.id}`);
  useEffect(refresh, [refresh, stage.attempt, stage.state]);
  if (error) return <p className="hint">The attempts cannot be listed: {error}</p>;
  if (!data || data.length === 0) return null;
  return (
    <>
      <h3>{data.length === 1 ? 'One attempt' : `${data.length} attempts`}</h3>
      <ol className="attempts">
        {data.map((attempt) => (
          <li key={attempt.number}>
            <strong>{attempt.number}</strong>{' '}
            <span className={`state ${stateOf(attempt.outcome)}`}>{attempt.outcome ?? 'running'}</span>{' '}
            <span className="hint">
              <time dateTime={attempt.started} title={when(attempt.started)}>
                {new Date(attempt.started).toLocaleTimeString()}
              </time>
              {attempt.finished && `, ${duration((Date.parse(attempt.finished) - Date.parse(attempt.started)) / 1000)}`}
              {attempt.worker && `, ${attempt.worker}`}
              {attempt.device && ` (${attempt.device})`}
              {attempt.fromStep ? `, went on from step ${attempt.fromStep}` : ''}
              {attempt.exitCode ? `, exit code ${attempt.exitCode}` : ''}
            </span>
            {attempt.error && <p>{attempt.error}</p>}
          </li>
        ))}
      </ol>
    </>
  );
}

const stateOf = (outcome: string | null | undefined): string =>
  outcome == null
    ? 'running'
    : outcome === 'succeeded'
      ? 'succeeded'
      : outcome === 'cancelled'
        ? 'cancelled'
        : 'failed';
