import { useState } from 'react';
import { api, type AuditLine } from '../api';
import { useFetched } from '../hooks/useFetched';
import { ago, when } from '../parts/format';
import { deedOf, resultOf } from './audit';

const page = 50;
/** The server lists no more. */
const most = 1000;

/** Who changed what, the newest first. */
export function AuditLog() {
  const [from, setFrom] = useState(0);
  // One more than is shown says whether there is a next page.
  const { data, error, refresh } = useFetched(() => api.audit(Math.min(most, from + page + 1)), `audit ${from}`);
  const shown = data?.slice(from, from + page) ?? [];
  const isMore = data !== undefined && data.length > from + page;
  return (
    <>
      <header className="page-header below">
        <h2 id="audit">Audit log</h2>
        <button type="button" onClick={refresh}>
          Look again
        </button>
      </header>
      {error && (
        <p className="fault" role="alert">
          {error}
        </p>
      )}
      {data?.length === 0 && <p className="empty">Nothing was changed over HTTP yet.</p>}
      {shown.length > 0 && <Lines lines={shown} />}
      <div className="buttons">
        {from > 0 && (
          <button type="button" onClick={() => setFrom(Math.max(0, from - page))}>
            Newer
          </button>
        )}
        {isMore && (
          <button type="button" onClick={() => setFrom(from + page)}>
            Older
          </button>
        )}
      </div>
      {!isMore && data?.length === most && <p className="hint">Only the newest {most} are listed.</p>}
    </>
  );
}

function Lines({ lines }: { lines: AuditLine[] }) {
  return (
    <div className="table-wrap" role="region" aria-labelledby="audit" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {['Who', 'What', 'When', 'Result'].map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => {
            const { done, thing, link } = deedOf(line);
            const { word, state } = resultOf(line.status);
            return (
              <tr key={line.id}>
                <td className="long">{line.who ?? <span className="hint">this machine</span>}</td>
                <td className="long sentence" title={`${line.action.split(' ')[0]} ${line.target}`}>
                  {done} {link ? <a href={link}>{thing}</a> : thing && <code>{thing}</code>}
                </td>
                <td>
                  <time dateTime={line.at} title={when(line.at)}>
                    {ago(line.at)}
                  </time>
                </td>
                <td>
                  <span className={`state ${state}`} title={`${line.status}`}>
                    {word}
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
