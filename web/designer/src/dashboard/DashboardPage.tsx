import { api, type Dashboard, type RunSummary, type Schedule, type Worker } from '../api';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { linkTo } from '../hooks/useRoute';
import { useTicking } from '../hooks/useTicking';
import { Away } from '../parts/Away';
import { ago, duration, plural, when } from '../parts/format';
import { Next } from '../schedules/SchedulesPage';
import { headline, progressOf, soonest, sorted } from './dashboard';

const beat = 10_000;

/** Whether anything is wrong, in one look; then what runs, what ran, who computes and what comes next. */
export function DashboardPage() {
  const { data, error, refresh } = useFetched(async () => {
    const [dashboard, runs, workers, schedules] = await Promise.all([
      api.dashboard(),
      api.runs({ limit: 12 }),
      api.workers(),
      api.schedules(),
    ]);
    return { dashboard, runs, workers, schedules };
  }, 'dashboard');
  useEvents((event) => {
    if (event.type !== 'definitions') refresh();
  });
  useTicking(refresh, beat);
  if (error && !data) return <Away what="The dashboard" error={error} onRetry={refresh} />;
  if (!data) return <p className="page empty">Looking around…</p>;
  const { dashboard, runs, workers, schedules } = data;
  const running = runs.filter((run) => run.state === 'running');
  const ended = runs.filter((run) => run.state !== 'running').slice(0, 8);
  return (
    <main className="page dashboard" id="main" tabIndex={-1}>
      <h1 className="unseen">Dashboard</h1>
      <Health dashboard={dashboard} />
      <div className="dash">
        <section aria-labelledby="dash-running">
          <h2 id="dash-running">Running</h2>
          {running.length === 0 && (
            <p className="empty">
              Nothing runs.{' '}
              {runs.length === 0 && (
                <>
                  Begin with a <a href={linkTo('workflows')}>workflow</a>.
                </>
              )}
            </p>
          )}
          <ul className="lines">
            {running.map((run) => (
              <Running key={run.id} run={run} />
            ))}
          </ul>
        </section>
        <section aria-labelledby="dash-recent">
          <h2 id="dash-recent">
            Recent runs <a href={linkTo('runs')}>all runs</a>
          </h2>
          {ended.length === 0 && <p className="empty">No run has ended yet.</p>}
          <ul className="lines">
            {ended.map((run) => (
              <li key={run.id}>
                <a href={linkTo('runs', run.id)}>{run.name}</a>
                <span className={`state ${run.state}`}>{run.state}</span>
                <span className="hint" title={when(run.created)}>
                  {ago(run.created)}
                  {run.finished && `, ${duration((Date.parse(run.finished) - Date.parse(run.created)) / 1000)}`}
                </span>
              </li>
            ))}
          </ul>
        </section>
        <section aria-labelledby="dash-workers">
          <h2 id="dash-workers">
            Workers <a href={linkTo('workers')}>all workers</a>
          </h2>
          <Workers workers={workers} />
        </section>
        <section aria-labelledby="dash-next">
          <h2 id="dash-next">
            Next <a href={linkTo('schedules')}>all schedules</a>
          </h2>
          <Upcoming schedules={schedules} />
        </section>
      </div>
    </main>
  );
}

function Health({ dashboard }: { dashboard: Dashboard }) {
  const { runs } = dashboard;
  return (
    <section className={`health ${dashboard.severity}`} aria-label="Is anything wrong?">
      <p className="health-head" role="status">
        <span className="health-sign" aria-hidden>
          {dashboard.severity === 'ok' ? '✓' : '!'}
        </span>
        <strong>{headline(dashboard)}</strong>
      </p>
      <ul>
        {sorted(dashboard.items).map((item, index) => (
          <li key={index} className={item.severity}>
            <span
              className={`state ${item.severity === 'error' ? 'failed' : item.severity === 'warning' ? 'blocked' : 'succeeded'}`}
            >
              {item.severity}
            </span>
            <span>{item.text}</span>
            {item.link && <a href={item.link}>Look</a>}
          </li>
        ))}
      </ul>
      <p className="hint">
        In the last 24 hours: {runs.succeeded} succeeded, {runs.failed} failed, {runs.cancelled} cancelled. Now{' '}
        {plural(runs.running, 'run')}, {plural(dashboard.stages.running, 'stage')} computed, {dashboard.stages.ready}{' '}
        ready
        {dashboard.stages.oldestReadySeconds !== undefined && dashboard.stages.ready > 0
          ? ` (the oldest for ${duration(dashboard.stages.oldestReadySeconds)})`
          : ''}
        .
      </p>
    </section>
  );
}

function Running({ run }: { run: RunSummary }) {
  const { done, all } = progressOf(run.counts);
  return (
    <li>
      <a href={linkTo('runs', run.id)}>{run.name}</a>
      {all > 0 && (
        <>
          <progress value={done} max={all} aria-label={`${done} of ${all} stages of ${run.name}`} />
          <span className="hint">
            {done} of {all}
          </span>
        </>
      )}
      <span className="hint">for {duration((Date.now() - Date.parse(run.created)) / 1000)}</span>
    </li>
  );
}

function Workers({ workers }: { workers: Worker[] }) {
  return (
    <>
      {workers.length === 0 && (
        <p className="empty">
          No worker is up: no stage can run. Start one with <code>pipelines worker</code>.
        </p>
      )}
      <ul className="lines">
        {workers.map((worker) => (
          <li key={worker.id}>
            <a href={linkTo('workers')}>{worker.host}</a>
            <span
              className={`state ${worker.state === 'dead' ? 'failed' : worker.state === 'working' ? 'running' : ''}`}
            >
              {worker.state}
            </span>
            <span className="hint">
              {worker.stages.map(({ stage }) => stage).join(', ') || worker.devices.join(', ')}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Upcoming({ schedules }: { schedules: Schedule[] }) {
  const next = soonest(schedules, 6);
  if (next.length === 0)
    return <p className="empty">{schedules.length === 0 ? 'Nothing is scheduled.' : 'Every schedule is paused.'}</p>;
  return (
    <ul className="lines">
      {next.map((schedule) => (
        <li key={schedule.name}>
          <a href={linkTo('schedules', schedule.name)}>{schedule.name}</a>
          <span className="hint">{schedule.workflow}</span>
          <Next schedule={schedule} />
        </li>
      ))}
    </ul>
  );
}
