import { useMemo, useState } from 'react';
import type { RunView } from '../api';
import { ArtifactBox } from '../artifacts/ArtifactBox';
import { artifactsIn, artifactsOf } from './artifacts';
import { classTables } from './classes';
import { ClassesView } from './ClassesView';
import { ComparisonTable } from './ComparisonTable';
import { FiguresTable } from './FiguresTable';
import { measured } from './measured';
import { RankingView } from './RankingView';
import { isComparison, isRanking, isSpeed, outputsOf, variablesText } from './results';
import { isScore, scoreTables } from './scores';
import { ScoresView } from './ScoresView';
import { SpeedView } from './SpeedView';
import { Value } from './Value';
import { Widths } from './Widths';

/** What came out of a run: how good, how small, of what shape, and the files. */
export function ResultView({ run }: { run: RunView }) {
  const comparisons = useMemo(() => outputsOf(run, isComparison), [run]);
  const rankings = useMemo(() => outputsOf(run, isRanking), [run]);
  // A report has them side by side already.
  const models = useMemo(
    () => (comparisons.length + rankings.length > 0 ? [] : measured(run)),
    [run, comparisons, rankings],
  );
  const scores = useMemo(() => scoreTables(run), [run]);
  const classes = useMemo(() => classTables(run), [run]);
  // A ranking has them beside its models.
  const speeds = useMemo(() => (rankings.some(({ value }) => value.speed) ? [] : outputsOf(run, isSpeed)), [run, rankings]);
  const others = Object.entries(run.outputs).filter(
    ([, value]) =>
      ![isComparison, isRanking, isScore, isSpeed].some((is) => is(value)) && artifactsIn(value, '').length === 0,
  );
  return (
    <div className="result-view">
      {run.state !== 'succeeded' && (
        <p className="hint">
          {run.state === 'running'
            ? 'The run goes on: this is what there is so far.'
            : `The run ${run.state === 'failed' ? 'failed' : 'was cancelled'}: this is what there is.`}
        </p>
      )}
      {comparisons.map(({ name, value, variables }) => (
        <section key={name}>
          <h2>
            Before and after
            {comparisons.length > 1 && <span className="hint"> {variablesText(variables) || name}</span>}
          </h2>
          <ComparisonTable comparison={value} />
        </section>
      ))}
      {rankings.map(({ name, value }) => (
        <section key={name}>
          <h2>{value.models.length} models</h2>
          <RankingView ranking={value} />
        </section>
      ))}
      {models.length > 0 && (
        <section>
          <h2>Measured</h2>
          <FiguresTable models={models.map(({ label, figures }) => ({ key: label, name: label, figures }))} />
        </section>
      )}
      {speeds.map(({ name, value, variables }) => (
        <section key={name}>
          <h2>
            Speed
            {speeds.length > 1 && <span className="hint"> {variablesText(variables) || name}</span>}
          </h2>
          <SpeedView speed={value} />
        </section>
      ))}
      {scores.map((table) => (
        <ScoresView key={table.protocol} table={table} />
      ))}
      {classes.map((table) => (
        <ClassesView key={table.protocol} table={table} />
      ))}
      <Widths run={run} />
      <Artifacts run={run} />
      <div className="columns">
        {others.length > 0 && <Values title="Outputs" values={others} />}
        <Values title="Parameters" values={Object.entries(run.parameters)} />
      </div>
    </div>
  );
}

function Artifacts({ run }: { run: RunView }) {
  const all = useMemo(() => artifactsOf(run), [run]);
  const [hash, setHash] = useState<string>();
  const chosen = all.find((one) => one.hash === hash) ?? all[0];
  if (!chosen) return <p className="empty">No artifact yet.</p>;
  return (
    <section>
      <h2 id="artifact-title">Artifacts</h2>
      <select
        className="narrow"
        aria-labelledby="artifact-title"
        value={chosen.hash}
        onChange={(event) => setHash(event.target.value)}
      >
        {all.map((one) => (
          <option key={one.hash} value={one.hash}>
            {one.name}
          </option>
        ))}
      </select>
      <ArtifactBox key={chosen.hash} hash={chosen.hash} />
    </section>
  );
}

function Values({ title, values }: { title: string; values: [string, unknown][] }) {
  if (values.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <dl className="results">
        {values.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Value value={value} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
