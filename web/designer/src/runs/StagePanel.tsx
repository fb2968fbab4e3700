import type { RunView, StageView } from '../api';
import { duration, plural } from '../parts/format';
import { RoleButton } from '../parts/RoleButton';
import { Attempts } from './Attempts';
import { Plots } from './Plots';
import { progressText, remaining } from './statuses';
import { useMetrics } from './useMetrics';
import { Value } from './Value';

interface Props {
  run: RunView;
  stages: StageView[];
  /** Whether its figures are drawn here as well. */
  plots: boolean;
  onResume: () => void;
  onLog: () => void;
  onStage: (stage: StageView) => void;
}

/** What a run knows about the stages that are chosen: all of one, the states of several. */
export function StagePanel({ run, stages, plots, onResume, onLog, onStage }: Props) {
  const [only] = stages.length === 1 ? stages : [];
  return (
    <aside className="stage-panel" aria-label="Stage" tabIndex={0}>
      {only ? (
        <One run={run} stage={only} plots={plots} onResume={onResume} onLog={onLog} />
      ) : (
        <>
          <h2>{plural(stages.length, 'stage')}</h2>
          <ul className="stage-list">
            {stages.map((stage) => (
              <li key={stage.id}>
                <button type="button" className="link" onClick={() => onStage(stage)}>
                  {stage.id}
                </button>{' '}
                <span className={`state ${stage.state}`}>{stage.reused ? 'reused' : stage.state}</span>
                {stage.error && <p className="fault">{stage.error}</p>}
                {stage.reason && <p className="hint">{stage.reason}</p>}
              </li>
            ))}
          </ul>
        </>
      )}
    </aside>
  );
}

interface OneProps extends Pick<Props, 'run' | 'plots' | 'onResume' | 'onLog'> {
  stage: StageView;
}

function One({ run, stage, plots, onResume, onLog }: OneProps) {
  const { data } = useMetrics(run.id, plots ? [stage] : []);
  return (
    <>
      <h2>
        {stage.id} <span className={`state ${stage.state}`}>{stage.reused ? 'reused' : stage.state}</span>
      </h2>
      {stage.error && (
        <div className="fault" role="alert">
          <p>{stage.error}</p>
          {stage.state === 'failed' && <p>{next(run)}</p>}
          <div className="buttons">
            <button type="button" className="small" onClick={onLog}>
              Show the log
            </button>
            {stage.state === 'failed' && run.state !== 'running' && (
              <RoleButton needs="operator" className="small" onClick={onResume}>
                Resume the run…
              </RoleButton>
            )}
          </div>
        </div>
      )}
      {stage.reason && <p className="reason">{stage.reason}</p>}
      <dl>
        {facts(stage).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {Object.keys(stage.outputs ?? {}).length > 0 && (
        <>
          <h3>Outputs</h3>
          <dl>
            {Object.entries(stage.outputs!).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <Value value={value} />
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {data?.map((one) => (
        <Plots key={one.stage.id} metrics={one} />
      ))}
      {stage.attempt > 0 && !stage.reused && <Attempts run={run.id} stage={stage} />}
    </>
  );
}

const next = (run: RunView): string =>
  run.state === 'running'
    ? 'The other stages go on. When the run has ended it can be resumed; what succeeded is kept.'
    : 'Mend the cause, then resume: what succeeded is kept, and a stage with a checkpoint goes on from it.';

function facts(stage: StageView): [string, string][] {
  const left = remaining(stage);
  const known: [string, string | undefined | null][] = [
    ['kind', stage.kind],
    ...Object.entries(stage.variables ?? {}).map(([name, value]): [string, string] => [name, `${value}`]),
    ['progress', stage.progress && progressText(stage.progress)],
    ['left', left === undefined ? undefined : `about ${duration(left)}`],
    ['started', stage.started && new Date(stage.started).toLocaleTimeString()],
    ['time', stage.seconds ? duration(stage.seconds) : undefined],
    ['device', stage.device],
    ['worker', stage.worker],
    ['waits for', stage.waitsFor],
  ];
  return known.flatMap(([name, value]) => (value ? [[name, value]] : []));
}
