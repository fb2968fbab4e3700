import type { StagePreview } from '../api';
import { countsOf, wordOf } from './preview';

/** Stage by stage: taken from the store or not, and why not. */
export function PreviewList({ stages }: { stages: StagePreview[] }) {
  const { computed, reused, open } = countsOf(stages);
  return (
    <details className="preview">
      <summary>
        {reused} of {stages.length} stages will be reused, {computed} computed
        {open > 0 && ` (${open} of them perhaps not)`}
      </summary>
      <ul>
        {stages.map((stage) => (
          <li key={stage.id}>
            <strong>{stage.id}</strong>
            <span className={`state ${stage.reused ? 'succeeded' : stage.reused === null ? '' : 'running'}`}>
              {wordOf(stage)}
            </span>
            {stage.reason && <span className="hint">{stage.reason}</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}
