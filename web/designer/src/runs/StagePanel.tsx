import type { RunView, StageView } from '../api';
import { duration, written } from '../parts/format';
import { nodeOf, progressText, remaining } from './statuses';

/** What a run knows about the stages of one node. */
export function StagePanel({ run, path }: { run: RunView; path: string }) {
  const stages = run.stages.filter((stage) => nodeOf(stage.id) === path);
  return (
    <div className="stage-panel">
      {stages.map((stage) => (
        <section key={stage.id}>
          <h3>
            {stage.id} <span className={`state ${stage.state}`}>{stage.reused ? 'reused' : stage.state}</span>
          </h3>
          {stage.error && (
            <p className="fault" role="alert">
              {stage.error}
            </p>
          )}
          <dl>
            {facts(stage).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function facts(stage: StageView): [string, string][] {
  const left = remaining(stage);
  return [
    ['kind', stage.kind],
    ...(stage.progress ? [['progress', progressText(stage.progress)] as [string, string]] : []),
    ...(left === undefined ? [] : [['left', `about ${duration(left)}`] as [string, string]]),
    ...(stage.seconds ? [['time', duration(stage.seconds)] as [string, string]] : []),
    ...(stage.device ? [['device', stage.device] as [string, string]] : []),
    ...(stage.worker ? [['worker', stage.worker] as [string, string]] : []),
    ...(stage.attempt > 1 ? [['attempt', `${stage.attempt}`] as [string, string]] : []),
    ...(stage.waitsFor ? [['waits for', stage.waitsFor] as [string, string]] : []),
    ...Object.entries(stage.outputs ?? {}).map(([name, value]): [string, string] => [name, written(value)]),
  ];
}
