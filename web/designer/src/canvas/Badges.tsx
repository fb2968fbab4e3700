import type { Path, Stage } from '../graph/document';
import { duration } from '../parts/format';
import { useFaults, type NodeStatus } from './canvasStore';

/** Small signs for what changes how often, whether and where a stage runs. */
export function Marks({ stage }: { stage: Stage }) {
  const marks: [string, string][] = [];
  if (stage.when) marks.push(['if', `Only when ${stage.when}`]);
  if (stage.matrix) {
    const names = Object.entries(stage.matrix.values ?? {});
    marks.push([
      `× ${names.map(([name, values]) => (Array.isArray(values) ? `${name} ${values.length}` : name)).join(', ')}`,
      `Once for each value of ${names.map(([name]) => name).join(', ')}`,
    ]);
  }
  if (stage.repeat)
    marks.push([
      `↻ ${stage.repeat.times ?? ''}`,
      `Repeated${stage.repeat.times ? `, ${stage.repeat.times} times` : ''}${stage.repeat.until ? `, until ${stage.repeat.until}` : ''}`,
    ]);
  if (stage.resources?.gpu) marks.push(['GPU', 'Needs a GPU']);
  if (stage.isolation === 'process') marks.push(['proc', 'Runs in a process of its own']);
  if (stage.cache === false) marks.push(['fresh', 'Always computed, never taken from the store']);
  return marks.map(([text, title]) => (
    <span key={title} className="mark" title={title}>
      {text}
    </span>
  ));
}

/** How many things are wrong; their text names the fields. */
export function FaultBadge({ path }: { path: Path }) {
  const faults = useFaults(path);
  if (faults.length === 0) return null;
  const text = faults.map((fault) => fault.message).join('\n');
  return (
    <span className="fault-badge" role="img" aria-label={`${faults.length} faults: ${text}`} title={text}>
      {faults.length}
    </span>
  );
}

export function StatusLine({ status }: { status: NodeStatus }) {
  const { state, progress } = status;
  const word = status.reused ? 'reused' : state;
  const where = [status.device, status.worker].filter(Boolean).join(' · ');
  return (
    <div className="status-line" title={status.error ?? status.text ?? where}>
      <span className={`state ${state}`}>{word}</span>
      {status.count > 1 && <span>{`${status.done} of ${status.count} ${status.unit} done`}</span>}
      {status.seconds !== undefined && !status.reused && <span>{duration(status.seconds)}</span>}
      {state === 'running' && where && <span className="where">{where}</span>}
      {status.attempt > 1 && <span>attempt {status.attempt}</span>}
      {state === 'running' && <progress value={progress} max={1} aria-label="progress" />}
    </div>
  );
}
