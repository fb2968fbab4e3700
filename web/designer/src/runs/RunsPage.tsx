import { useState } from 'react';
import { api } from '../api';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { linkTo } from '../hooks/useRoute';
import { ago, duration, when } from '../parts/format';

const page = 50;

/** All runs, the newest first. */
export function RunsPage() {
  const [state, setState] = useState('');
  const [name, setName] = useState('');
  const [before, setBefore] = useState<string>();
  const { data, error, refresh } = useFetched(
    () => api.runs({ limit: page, state, name, before }),
    `runs ${state} ${name} ${before}`,
  );
  useEvents((event) => {
    if (event.type === 'run') refresh();
  });
  return (
    <main className="page">
      <header className="page-header">
        <h1>Runs</h1>
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
      {data?.length === 0 && <p className="empty">No run{state || name ? ' like this' : ' yet'}.</p>}
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
