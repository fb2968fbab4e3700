import type { ReactNode } from 'react';
import { isGroup, type Json, type Path, type Stage } from '../graph/document';
import { setStage } from '../graph/edit';
import { readField, show } from '../graph/form';
import { MatrixForm } from './MatrixForm';
import { Row, TextBox } from './FieldRow';
import { change } from './store';

interface Props {
  path: Path;
  stage: Stage;
  faultOf: (field: string) => string | undefined;
}

/** When, how often, where and how stubbornly a stage runs. */
export function StageControl({ path, stage, faultOf }: Props) {
  const set = (property: string, value: unknown) =>
    change((document) => setStage(document, path, property, value), `${property} ${path}`);
  const member = (property: 'repeat' | 'retry' | 'resources', name: string, value: Json | undefined) => {
    const changed: Record<string, unknown> = { ...stage[property], [name]: value };
    if (value === undefined) delete changed[name];
    set(property, Object.keys(changed).length > 0 ? changed : undefined);
  };
  const integer = (text: string) => readField({ type: 'integer' }, text);
  const usesFlow = Boolean(stage.when ?? stage.matrix ?? stage.repeat);
  const usesRunning =
    Boolean(stage.isolation ?? stage.retry ?? stage.timeout ?? stage.resources) || stage.cache === false;
  return (
    <>
      <Fold title="Flow" open={usesFlow}>
        <Row label="when" hint="Runs only if this holds: evaluate.measurement.perplexity < 20" error={faultOf('when')}>
          {(id, hint) => (
            <TextBox
              id={id}
              describedBy={hint}
              value={stage.when ?? ''}
              onValue={(text) => set('when', text || undefined)}
            />
          )}
        </Row>
        <MatrixForm stage={stage} error={faultOf('matrix')} onChange={(matrix) => set('matrix', matrix)} />
        <Row label="repeat, times" hint="A number, or ${…}" error={faultOf('repeat')}>
          {(id, hint) => (
            <TextBox
              id={id}
              describedBy={hint}
              value={show(stage.repeat?.times)}
              onValue={(text) => member('repeat', 'times', integer(text))}
            />
          )}
        </Row>
        <Row label="repeat, until" hint="Ends earlier when this holds; round counts from 1">
          {(id, hint) => (
            <TextBox
              id={id}
              describedBy={hint}
              value={stage.repeat?.until ?? ''}
              onValue={(text) => member('repeat', 'until', text || undefined)}
            />
          )}
        </Row>
      </Fold>
      {!isGroup(stage) && (
        <Fold title="Running" open={usesRunning}>
          <Check
            label="Needs a GPU"
            checked={Boolean(stage.resources?.gpu)}
            onChange={(on) => member('resources', 'gpu', on ? 1 : undefined)}
          />
          <Check
            label="In a process of its own"
            checked={stage.isolation === 'process'}
            onChange={(on) => set('isolation', on ? 'process' : undefined)}
          />
          <Check
            label="A stored result may stand for it"
            checked={stage.cache !== false}
            onChange={(on) => set('cache', on ? undefined : false)}
          />
          <Row label="attempts" hint="How often it may fail, the last time for good">
            {(id, hint) => (
              <TextBox
                id={id}
                describedBy={hint}
                value={show(stage.retry?.attempts)}
                placeholder="1"
                onValue={(text) => member('retry', 'attempts', integer(text))}
              />
            )}
          </Row>
          <Row label="timeout" hint="Seconds that an attempt may take">
            {(id, hint) => (
              <TextBox
                id={id}
                describedBy={hint}
                value={show(stage.timeout)}
                placeholder="none"
                onValue={(text) => set('timeout', readField({ type: 'number' }, text))}
              />
            )}
          </Row>
        </Fold>
      )}
      <Fold title="Note" open={Boolean(stage.description)}>
        <TextBox
          label="Note"
          lines={3}
          value={stage.description ?? ''}
          onValue={(text) => set('description', text || undefined)}
        />
      </Fold>
    </>
  );
}

function Fold({ title, open, children }: { title: string; open?: boolean; children: ReactNode }) {
  return (
    <details open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}

function Check({ label, checked, onChange }: { label: string; checked: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}
