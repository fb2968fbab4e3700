import { useState, type ReactNode } from 'react';
import { api, type ComparedRun } from '../api';
import { Scatter } from '../charts/Scatter';
import { useFetched } from '../hooks/useFetched';
import { linkTo, useQuery } from '../hooks/useRoute';
import { Away } from '../parts/Away';
import { ago, shortHash, when } from '../parts/format';
import type { FigureKey } from '../runs/results';
import {
  artifactRows,
  costsOf,
  dotsOf,
  hasBranches,
  letter,
  metricRows,
  parameterRows,
  protocolsOf,
  sizesOf,
  timeRows,
  type Row,
} from './compared';

/** Runs side by side: what differs, how good, how small, how long. */
export function ComparePage() {
  const ids = (useQuery().get('ids') ?? '').split(',').filter(Boolean);
  const { data, error, refresh } = useFetched(
    () => (ids.length > 0 ? api.compare(ids) : Promise.resolve([])),
    `compare ${ids.join()}`,
  );
  if (error && !data) return <Away what="The comparison" error={error} onRetry={refresh} />;
  if (!data) return <p className="page empty">Fetching the runs…</p>;
  return (
    <main className="page" id="main" tabIndex={-1}>
      <header className="page-header">
        <h1>Compare runs</h1>
        <a className="button" href={linkTo('runs')}>
          Choose others
        </a>
      </header>
      {data.length === 0 ? (
        <p className="empty">
          No runs are chosen. Tick two or more in the <a href={linkTo('runs')}>list of runs</a>.
        </p>
      ) : (
        <Compared runs={data} />
      )}
    </main>
  );
}

function Compared({ runs }: { runs: ComparedRun[] }) {
  const [sizeKey, setSizeKey] = useState<FigureKey>('nonzero');
  const [onlyDifferent, setOnlyDifferent] = useState(false);
  const [each, setEach] = useState(false);
  const dots = dotsOf(runs, sizeKey);
  const sizes = sizesOf(runs);
  const protocols = protocolsOf(runs);
  const kept = (rows: Row[]) => (onlyDifferent ? rows.filter((one) => one.differs) : rows);
  const artifacts = artifactRows(runs).filter((one) => one.differs || !onlyDifferent);
  return (
    <>
      {protocols.length > 1 && (
        <p className="reason" role="note">
          The runs measured by different protocols ({protocols.join('; ')}): their figures are not to be compared.
        </p>
      )}
      {dots.length > 0 && (
        <>
          <Scatter
            dots={dots}
            costLabel={costsOf(runs)}
            sizeLabel={sizes.find(({ key }) => key === sizeKey)?.words ?? ''}
          />
          <label className="inline">
            Size is counted in
            <select value={sizeKey} onChange={(event) => setSizeKey(event.target.value as FigureKey)}>
              {sizes.map(({ key, words }) => (
                <option key={key} value={key}>
                  {words}
                </option>
              ))}
            </select>
          </label>
        </>
      )}
      <label className="check">
        <input type="checkbox" checked={onlyDifferent} onChange={(event) => setOnlyDifferent(event.target.checked)} />
        Only what differs
      </label>
      {hasBranches(runs) && (
        <label className="check">
          <input type="checkbox" checked={each} onChange={(event) => setEach(event.target.checked)} />
          The time of each branch by itself
        </label>
      )}
      <div className="table-wrap">
        <table className="compare">
          <thead>
            <tr>
              <th scope="col">
                <span className="unseen">Figure</span>
              </th>
              {runs.map((run, index) => (
                <th scope="col" key={run.id}>
                  <a href={linkTo('runs', run.id)}>
                    {letter(index)}: {run.name}
                  </a>
                  <br />
                  <span className={`state ${run.state}`}>{run.state}</span>{' '}
                  <time dateTime={run.created} title={when(run.created)}>
                    {ago(run.created)}
                  </time>
                </th>
              ))}
            </tr>
          </thead>
          <Section title="Parameters" rows={kept(parameterRows(runs))} columns={runs.length} />
          <Section title="Measured" rows={kept(metricRows(runs))} columns={runs.length} />
          <Section title="Time" rows={kept(timeRows(runs, each))} columns={runs.length} marks={false} />
          {artifacts.length > 0 && (
            <Part title="Artifacts" columns={runs.length}>
              {artifacts.map(({ name, cells, differs }) => (
                <tr key={name} className={differs ? 'differs' : ''}>
                  <th scope="row">{name}</th>
                  {cells.map((one, index) => (
                    <td key={index}>
                      {one ? (
                        <a href={linkTo('artifacts', one.hash)} title={one.hash}>
                          <code>{shortHash(one.hash)}</code>
                        </a>
                      ) : (
                        '–'
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </Part>
          )}
        </table>
      </div>
    </>
  );
}

function Part({ title, columns, children }: { title: string; columns: number; children: ReactNode }) {
  return (
    <tbody>
      <tr className="part">
        <th scope="rowgroup" colSpan={columns + 1}>
          {title}
        </th>
      </tr>
      {children}
    </tbody>
  );
}

function Section({
  title,
  rows,
  columns,
  marks = true,
}: {
  title: string;
  rows: Row[];
  columns: number;
  marks?: boolean;
}) {
  if (rows.length === 0) return null;
  return (
    <Part title={title} columns={columns}>
      {rows.map((row) => (
        <tr key={row.name} className={marks && row.contrast ? 'differs' : ''}>
          <th scope="row">{row.name}</th>
          {row.cells.map((cell, index) => (
            <td key={index}>{cell}</td>
          ))}
        </tr>
      ))}
    </Part>
  );
}
