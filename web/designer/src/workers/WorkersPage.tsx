import { useState } from 'react';
import { api, type Worker } from '../api';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { linkTo } from '../hooks/useRoute';
import { useTicking } from '../hooks/useTicking';
import { Away } from '../parts/Away';
import { Confirm } from '../parts/Confirm';
import { ago, duration, plural, when } from '../parts/format';
import { RoleButton } from '../parts/RoleButton';

/** Who computes: what each may take, what it does, and when it was last heard of. */
export function WorkersPage() {
  const { data, error, refresh } = useFetched(api.workers, 'workers');
  const [leaving, setLeaving] = useState<Worker>();
  const [now, setNow] = useState(false);
  useEvents((event) => {
    if (event.type === 'workers' || event.type === 'run') refresh();
  });
  useTicking(refresh, 5000);
  if (error && !data) return <Away what="The list of workers" error={error} onRetry={refresh} />;
  return (
    <main className="page" id="main" tabIndex={-1}>
      <header className="page-header">
        <h1>Workers</h1>
      </header>
      {data?.length === 0 && (
        <p className="empty">
          No worker is up, so no stage can run. Start one with <code>pipelines worker</code>, or start the server with
          one inside: <code>pipelines serve</code>.
        </p>
      )}
      <ul className="worker-list">
        {data?.map((worker) => (
          <li key={worker.id} className={`worker ${worker.state}`}>
            <header>
              <h2>
                {worker.host} <span className="hint">{worker.pid}</span>
              </h2>
              <span className={`state ${classOf[worker.state]}`}>{worker.state}</span>
              <span className="space" />
              {(worker.state === 'idle' || worker.state === 'working') && (
                <RoleButton
                  needs="admin"
                  aria-label={`Drain ${worker.host} ${worker.pid}`}
                  onClick={() => setLeaving(worker)}
                >
                  Drain…
                </RoleButton>
              )}
            </header>
            <dl className="facts">
              <div>
                <dt>Slots</dt>
                <dd>{slots(worker)}</dd>
              </div>
              <div>
                <dt>Devices</dt>
                <dd>{worker.devices.join(', ') || 'the CPU only'}</dd>
              </div>
              <div>
                <dt>Last heard of</dt>
                <dd>{worker.silent < 2 ? 'just now' : `${duration(worker.silent)} ago`}</dd>
              </div>
              <div>
                <dt>Up since</dt>
                <dd title={when(worker.started)}>{ago(worker.started)}</dd>
              </div>
              <div>
                <dt>Runs</dt>
                <dd>
                  {worker.stages.length === 0 && 'nothing'}
                  {worker.stages.map(({ run, stage, device }) => (
                    <a key={`${run} ${stage}`} className="stage-link" href={linkTo('runs', run)}>
                      {stage} <span className="hint">{device}</span>
                    </a>
                  ))}
                </dd>
              </div>
            </dl>
          </li>
        ))}
      </ul>
      {leaving && (
        <Confirm
          title={`Drain ${leaving.host} ${leaving.pid}?`}
          word="Drain"
          onClose={() => setLeaving(undefined)}
          onYes={() => api.drain(leaving.id, now).then(refresh)}
        >
          <p>
            It takes nothing new and ends when it is done.{' '}
            {leaving.stages.length === 0
              ? 'It runs nothing now.'
              : `It still runs ${plural(leaving.stages.length, 'stage')}.`}
          </p>
          {leaving.stages.length > 0 && (
            <label className="check">
              <input type="checkbox" checked={now} onChange={(event) => setNow(event.target.checked)} />
              Do not wait: what it runs goes to others at its next checkpoint
            </label>
          )}
        </Confirm>
      )}
    </main>
  );
}

const classOf: Record<Worker['state'], string> = { idle: '', working: 'running', draining: 'blocked', dead: 'failed' };
const slots = ({ slots: all }: Worker): string =>
  Object.entries(all)
    .map(([group, count]) => `${count} ${group}`)
    .join(', ') || 'none';
