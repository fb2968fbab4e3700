import { useState } from 'react';
import { api } from '../api';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { linkTo } from '../hooks/useRoute';
import { Away } from '../parts/Away';
import { ago, duration, when } from '../parts/format';

const page = 50;

/** All runs, the newest first. */
export function RunsPage() {
  const [state, setState] = useState('');
  const [name, setName] = useState('');
  const [before, setBefore] = useState<string>();
  const [ticked, setTicked] = useState<string[]>([]);
  const { data, error, refresh } = useFetched(
    () => api.runs({ limit: page, state, name, before }),
    `runs ${state} ${name} ${before}`,
  );
  useEvents((event) => {
    if (event.type === 'run') refresh();
  });
  const tick = (id: string, on: boolean) => setTicked((all) => (on ? [...all, id] : all.filter((one) => one !== id)));
  if (error && !data) return <Away what="The list of runs" error={error} onRetry={refresh} />;
  return (
    <main className="page" id="main" tabIndex={-1}>
      <header className="page-header">
        <h1>Runs</h1>
        {ticked.length > 0 && (
          <>
            <button type="button" className="quiet" onClick={() => setTicked([])}>
              Untick all
            </button>
            <a
              className={`button ${ticked.length > 1 ? 'primary' : ''}`}
              href={`#/compare?ids=${ticked.map(encodeURIComponent).join(',')}`}
              aria-disabled={ticked.length < 2 || undefined}
              onClick={(event) => ticked.length < 2 && event.preventDefault()}
            >
              {ticked.length < 2 ? 'Tick one more to compare' : `Compare ${ticked.length} runs`}
            </a>
          </>
        )}
        <input
          type="search"
          placeholder="Workflow"
          aria-label="Workflow"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <select aria-label="State" value={state} onChange={(event) => setState(event.target.value)}>
          <option value="">all states</option>
          {['running', 'succeeded', 'failed', 'cancelled'].map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </header>
      {error && (
        <p className="fault" role="alert">
          {error}
        </p>
      )}
      <div className="table-wrap">
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span className="unseen">Compare</span>
              </th>
              <th scope="col">Workflow</th>
              <th scope="col">State</th>
              <th scope="col">Started</th>
              <th scope="col">Took</th>
              <th scope="col">Run</th>
            </tr>
          </thead>
          <tbody>
            {data?.map((run) => (
              <tr key={run.id}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={`Compare ${run.name} ${run.id.slice(0, 8)}`}
                    checked={ticked.includes(run.id)}
                    onChange={(event) => tick(run.id, event.target.checked)}
                  />
                </td>
                <td className="long">
                  <a href={linkTo('runs', run.id)}>{run.name}</a>
                </td>
                <td>
                  <span className={`state ${run.state}`}>{run.state}</span>
                </td>
                <td title={when(run.created)}>{ago(run.created)}</td>
                <td>{run.finished ? duration((Date.parse(run.finished) - Date.parse(run.created)) / 1000) : '–'}</td>
                <td className="hint">{run.id.slice(0, 8)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {data?.length === 0 && (
        <p className="empty">
          {state || name ? (
            'No run like this.'
          ) : (
            <>
              No run yet. Open a <a href={linkTo('workflows')}>workflow</a> and press Run.
            </>
          )}
        </p>
      )}
      <div className="buttons">
        {before && (
          <button type="button" onClick={() => setBefore(undefined)}>
            Newest
          </button>
        )}
        {data && data.length >= page && (
          <button type="button" onClick={() => setBefore(data.at(-1)!.id)}>
            Older
          </button>
        )}
      </div>
    </main>
  );
}
