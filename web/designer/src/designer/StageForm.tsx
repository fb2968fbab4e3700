import { familyOf, familyStyle } from '../canvas/colours';
import type { Fault } from '../graph/checks';
import { isGroup, type Json, type Path, type Stage } from '../graph/document';
import { renameFault, renameStage, setParameter, setStage } from '../graph/edit';
import { fieldsOf, fieldsOfWorkflow, show } from '../graph/form';
import { ConnectionList } from './ConnectionList';
import { FieldRow, Row, TextBox } from './FieldRow';
import { change, currentDocument, notify, openWorkflow, select, useEditor } from './store';
import { StageControl } from './StageControl';

interface Props {
  path: Path;
  stage: Stage;
  faults: Fault[];
}

/** The properties of a stage. Its parameters are drawn from the schema that the catalog states. */
export function StageForm({ path, stage, faults }: Props) {
  const activity = useEditor((state) => (stage.kind === undefined ? undefined : state.catalog.get(stage.kind)));
  const inner = typeof stage.workflow === 'object' ? stage.workflow : undefined;
  const fields = activity ? fieldsOf(activity.parameters) : fieldsOfWorkflow(inner?.parameters);
  const strange = Object.entries(stage.parameters ?? {}).filter(
    ([name]) => !fields.some((field) => field.name === name),
  );
  const faultOf = (field: string) => faults.find((fault) => fault.field === field)?.message;
  // What names no field that is shown below stands above all.
  const others = faults.filter(
    (fault) =>
      !/^(parameters|inputs|outputs)\./.test(fault.field ?? '') &&
      !['when', 'matrix', 'repeat'].includes(fault.field ?? ''),
  );

  const rename = (id: string) => {
    const fault = renameFault(currentDocument(), path, id);
    if (fault) return notify(`${id}: ${fault}`);
    change((document) => renameStage(document, path, id));
    select([path.slice(0, path.length - stage.id.length) + id]);
  };
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <p className="kind" style={familyStyle(familyOf(stage.kind))}>
        <i className="dot" /> {stage.kind ?? (isGroup(stage) ? 'group' : 'workflow')}
        {activity && <span>{activity.description}</span>}
      </p>
      {others.map((fault) => (
        <p key={fault.message} className="fault" role="alert">
          {fault.message}
        </p>
      ))}
      <Row label="id" hint="How other stages and expressions call it">
        {(id, hint) => <TextBox id={id} describedBy={hint} value={stage.id} onLeave onValue={rename} />}
      </Row>
      {typeof stage.workflow === 'object' && (
        <button type="button" onClick={() => openWorkflow(path)}>
          Open the workflow inside
        </button>
      )}
      {typeof stage.workflow === 'string' && (
        <Row label="workflow" hint="The path of its document">
          {(id, hint) => (
            <TextBox
              id={id}
              describedBy={hint}
              value={stage.workflow as string}
              onValue={(text) => change((document) => setStage(document, path, 'workflow', text), `workflow ${path}`)}
            />
          )}
        </Row>
      )}

      {(fields.length > 0 || strange.length > 0) && <h3>Parameters</h3>}
      {fields.map((field) => (
        <FieldRow
          key={field.name}
          field={field}
          value={stage.parameters?.[field.name]}
          error={faultOf(`parameters.${field.name}`)}
          onValue={(value) =>
            change((document) => setParameter(document, path, field.name, value), `parameter ${path} ${field.name}`)
          }
        />
      ))}
      {strange.map(([name, value]) => (
        <Row
          key={name}
          label={name}
          error={activity ? faultOf(`parameters.${name}`) : undefined}
          action={
            <button
              type="button"
              className="quiet small"
              onClick={() => change((document) => setParameter(document, path, name, undefined))}
            >
              remove
            </button>
          }
        >
          {(id, hint) => (
            <TextBox
              id={id}
              describedBy={hint}
              value={show(value)}
              onValue={(text) =>
                change(
                  (document) => setParameter(document, path, name, reread(value, text)),
                  `parameter ${path} ${name}`,
                )
              }
            />
          )}
        </Row>
      ))}
      <ConnectionList path={path} stage={stage} faultOf={faultOf} />
      <StageControl path={path} stage={stage} faultOf={faultOf} />
    </form>
  );
}

// What nobody describes keeps the type that it had, as far as the text allows.
function reread(before: Json, text: string): Json {
  if (typeof before === 'string') return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
