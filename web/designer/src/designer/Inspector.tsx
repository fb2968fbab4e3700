import { findStage } from '../graph/document';
import type { Fault } from '../graph/checks';
import { alignChosen, distributeChosen, duplicate, group, remove } from './actions';
import { StageForm } from './StageForm';
import { togglePanel, useDocument, useEditor } from './store';
import { WorkflowSettings } from './WorkflowSettings';
import { Icon } from '../parts/Icon';

/** What is chosen: one stage, several, or the workflow itself. */
export function Inspector({ faults }: { faults: Fault[] }) {
  const document = useDocument();
  const selection = useEditor((state) => state.selection);
  const [path] = selection;
  const stage = path !== undefined && selection.size === 1 ? findStage(document, path) : undefined;
  const title = stage ? stage.id : selection.size > 1 ? `${selection.size} stages` : 'Workflow';
  return (
    <aside className="panel inspector" aria-label="Properties">
      <header>
        <h2>{title}</h2>
        <button
          type="button"
          className="quiet"
          aria-label="Close the properties"
          onClick={() => togglePanel('inspector', false)}
        >
          <Icon name="close" />
        </button>
      </header>
      <div className="panel-body">
        {stage ? (
          <StageForm key={path} path={path!} stage={stage} faults={faults.filter((fault) => fault.stage === path)} />
        ) : selection.size > 1 ? (
          <Several />
        ) : (
          <WorkflowSettings document={document} faults={faults} />
        )}
      </div>
    </aside>
  );
}

function Several() {
  return (
    <>
      <div className="buttons">
        <button type="button" onClick={group}>
          Group
        </button>
        <button type="button" onClick={duplicate}>
          Duplicate
        </button>
        <button type="button" className="danger" onClick={remove}>
          Delete
        </button>
      </div>
      <h3>Align</h3>
      <div className="buttons">
        {(['left', 'center', 'right', 'top', 'middle', 'bottom'] as const).map((to) => (
          <button type="button" key={to} onClick={() => alignChosen(to)}>
            {to}
          </button>
        ))}
      </div>
      <h3>Distribute</h3>
      <div className="buttons">
        <button type="button" onClick={() => distributeChosen('x')}>
          across
        </button>
        <button type="button" onClick={() => distributeChosen('y')}>
          down
        </button>
      </div>
    </>
  );
}
