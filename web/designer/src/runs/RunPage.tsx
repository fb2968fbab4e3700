import { useEffect, useMemo, useState } from 'react';
import { api, type RunView } from '../api';
import { catalogOf } from '../graph/document';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { linkTo } from '../hooks/useRoute';
import { Icon } from '../parts/Icon';
import { written } from '../parts/format';
import { Logs } from './Logs';
import { RerunDialog } from './RerunDialog';
import { RunCanvas } from './RunCanvas';
import { StagePanel } from './StagePanel';
import { Timeline } from './Timeline';
import { useLogs } from './useLogs';

const beat = 2000;

/** One run: the graph that ran, when its stages ran, what they said. */
export function RunPage({ id }: { id: string }) {
  const { data: run, error, refresh } = useFetched(() => api.run(id), `run ${id}`);
  const { data: activities } = useFetched(api.activities, 'activities');
  const catalog = useMemo(() => catalogOf(activities ?? []), [activities]);
  const [chosen, setChosen] = useState<string>();
  const [view, setView] = useState<'timeline' | 'log' | 'results'>('timeline');
  const [rerun, setRerun] = useState<{ from?: string }>();
  const [fault, setFault] = useState<string>();
  const logs = useLogs(id, chosen);
  const again = () => {
    refresh();
    logs.more();
  };
  useEvents((event) => {
    if (event.type === 'run' && event.id === id) again();
  });
  // Progress within a stage is no event; while something runs it is asked for.
  const isRunning = run?.state === 'running';
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(again, beat);
    return () => clearInterval(timer);
  });

  if (error && !run)
    return (
      <p className="page empty" role="alert">
        {error}
      </p>
    );
  if (!run) return <p className="page empty">Opening the run…</p>;
  return (
    <main className="run-page">
      <div className="toolbar">
        <nav className="way" aria-label="Where">
          <a href={linkTo('runs')}>Runs</a> / <strong>{run.name}</strong>
        </nav>
        <span className={`state ${run.state}`} role="status">
          {run.state}
        </span>
        <span className="hint wide-only">{counts(run)}</span>
        {(fault ?? error) && (
          <span className="chip bad" role="alert">
            {fault ?? error}
          </span>
        )}
        <span className="space" />
        {chosen && (
          <button type="button" onClick={() => setRerun({ from: chosen })}>
            Run again from {chosen}
          </button>
        )}
        {!isRunning && run.state !== 'succeeded' && (
          <button type="button" className="primary" onClick={() => setRerun({})}>
            Resume
          </button>
        )}
        {isRunning && (
          <button
            type="button"
            className="danger"
            onClick={() => api.cancel(id).then(refresh, (failure: Error) => setFault(failure.message))}
          >
            Cancel
          </button>
        )}
      </div>
      <div className="run-canvas">
        <RunCanvas run={run} catalog={catalog} chosen={chosen} onChoose={setChosen} />
      </div>
      <div className="run-details">
        <div className="tabs" role="tablist" aria-label="Details">
          {(['timeline', 'log', 'results'] as const).map((name) => (
            <button type="button" role="tab" key={name} aria-selected={view === name} onClick={() => setView(name)}>
              {name}
            </button>
          ))}
          {chosen && (
            <button type="button" className="chip" onClick={() => setChosen(undefined)}>
              {chosen} <Icon name="close" />
            </button>
          )}
        </div>
        <div className="run-split">
          <div className="run-view">
            {view === 'timeline' && <Timeline run={run} chosen={chosen} onChoose={setChosen} />}
            {view === 'log' && <Logs lines={logs.lines} error={logs.error} />}
            {view === 'results' && <Results run={run} />}
          </div>
          {chosen && <StagePanel run={run} path={chosen} />}
        </div>
      </div>
      {rerun && <RerunDialog run={run} from={rerun.from} onClose={() => setRerun(undefined)} onDone={again} />}
    </main>
  );
}

function counts(run: RunView): string {
  const done = run.stages.filter((stage) => stage.state === 'succeeded').length;
  const reused = run.stages.filter((stage) => stage.reused).length;
  return `${done} of ${run.stages.length} stages${reused > 0 ? `, ${reused} reused` : ''}`;
}

function Results({ run }: { run: RunView }) {
  const rows = [
    ...Object.entries(run.outputs),
    ...Object.entries(run.parameters).map(([name, value]) => [`parameter ${name}`, value] as const),
  ];
  return (
    <dl className="results">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === 'object' ? <pre>{JSON.stringify(value, null, 2)}</pre> : written(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
