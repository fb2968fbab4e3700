import type { Fault } from '../graph/checks';
import {
  parameterTypes,
  uniqueName,
  withMember,
  withProperty,
  type ParameterDefinition,
  type WorkflowDocument,
} from '../graph/document';
import { renameParameter } from '../graph/edit';
import { parameterFields, readField, show } from '../graph/form';
import { sourcesOf } from '../graph/references';
import { portsOf } from '../graph/ports';
import { reveal } from './actions';
import { Row, TextBox } from './FieldRow';
import { change, notify, pick, select, useEditor } from './store';
import { Icon } from '../parts/Icon';

interface Props {
  document: WorkflowDocument;
  faults: Fault[];
}

/** The workflow itself: what it is for, what may be set, what comes out. */
export function WorkflowSettings({ document, faults }: Props) {
  const set = (property: string, value: unknown) => change((now) => withProperty(now, property, value), property);
  const own = faults.filter((fault) => fault.stage === null);
  const elsewhere = faults.filter((fault) => fault.stage !== null);
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      {own.map((fault) => (
        <p key={fault.message} className="fault" role="alert">
          {fault.message}
        </p>
      ))}
      {elsewhere.length > 0 && (
        <ul className="fault-list" aria-label="Faults">
          {elsewhere.map((fault, index) => (
            <li key={index}>
              <button
                type="button"
                className="link"
                onClick={() => {
                  select([fault.stage!]);
                  reveal(fault.stage!);
                }}
              >
                {fault.stage}
              </button>{' '}
              {fault.message}
            </li>
          ))}
        </ul>
      )}
      <Row label="description">
        {(id) => (
          <TextBox
            id={id}
            lines={4}
            value={document.description ?? ''}
            onValue={(text) => set('description', text || undefined)}
          />
        )}
      </Row>
      <h3>Parameters</h3>
      <p className="hint">Set when a run starts, used in stages as {'${name}'}.</p>
      {Object.entries(document.parameters ?? {}).map(([name, definition]) => (
        <ParameterEditor key={name} name={name} definition={definition} document={document} />
      ))}
      <button
        type="button"
        className="small"
        onClick={() => {
          const name = uniqueName('parameter', Object.keys(document.parameters ?? {}));
          set('parameters', { ...document.parameters, [name]: { type: 'number' } });
        }}
      >
        + parameter
      </button>
      <h3>Inputs</h3>
      <p className="hint">For a workflow that is a stage of another one; its stages take them as {'inputs.name'}.</p>
      {Object.entries(document.inputs ?? {}).map(([name, type]) => (
        <div className="pair" key={name}>
          <TextBox
            label="Name of the input"
            value={name}
            onLeave
            onValue={(text) => change((now) => withProperty(now, 'inputs', renamed(now.inputs ?? {}, name, text)))}
          />
          <TextBox
            label={`Type of ${name}`}
            value={type}
            onValue={(text) => set('inputs', { ...document.inputs, [name]: text })}
          />
          <button
            type="button"
            className="quiet small"
            aria-label={`Remove ${name}`}
            onClick={() => set('inputs', withMember(document.inputs, name, undefined))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button
        type="button"
        className="small"
        onClick={() =>
          set('inputs', { ...document.inputs, [uniqueName('model', Object.keys(document.inputs ?? {}))]: 'checkpoint' })
        }
      >
        + input
      </button>
      <h3>Outputs</h3>
      <p className="hint">What the workflow is for; the results of a run go by these names.</p>
      {Object.entries(document.outputs ?? {}).map(([name, source]) => (
        <div className="pair" key={name}>
          <TextBox
            label="Name of the output"
            value={name}
            onLeave
            onValue={(text) =>
              change((now) =>
                withProperty(
                  now,
                  'outputs',
                  Object.fromEntries(
                    Object.entries(now.outputs ?? {}).map(([key, one]) => [key === name ? text : key, one]),
                  ),
                ),
              )
            }
          />
          <TextBox
            label={`Source of ${name}`}
            value={sourcesOf(source).join(', ')}
            invalid={own.some((fault) => fault.field === `outputs.${name}`)}
            onValue={(text) =>
              change(
                (now) => withProperty(now, 'outputs', withMember(now.outputs, name, readSources(text))),
                `output ${name}`,
              )
            }
          />
          <button
            type="button"
            className="quiet small"
            aria-label={`Remove ${name}`}
            onClick={() => change((now) => withProperty(now, 'outputs', withMember(now.outputs, name, undefined)))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button type="button" className="small" onClick={() => offerOutputs(document)}>
        + output
      </button>
    </form>
  );
}

const renamed = <T,>(members: Record<string, T>, from: string, to: string): Record<string, T> =>
  Object.fromEntries(Object.entries(members).map(([name, one]) => [name === from ? to : name, one]));

const readSources = (text: string) => {
  const sources = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return sources.length > 1 ? sources : (sources[0] ?? '');
};

function offerOutputs(document: WorkflowDocument): void {
  const { catalog } = useEditor.getState();
  const taken = Object.keys(document.outputs ?? {});
  pick(
    'Which output of which stage?',
    document.stages.flatMap((stage) =>
      portsOf(document, stage.id, catalog).outputs.map((port) => ({
        id: `${stage.id}.${port.name}`,
        label: `${stage.id}.${port.name}`,
        detail: port.type,
        run: () =>
          change((now) =>
            withProperty(now, 'outputs', {
              ...now.outputs,
              [uniqueName(port.name, taken)]: `${stage.id}.${port.name}`,
            }),
          ),
      })),
    ),
  );
}

function ParameterEditor({
  name,
  definition,
  document,
}: {
  name: string;
  definition: ParameterDefinition;
  document: WorkflowDocument;
}) {
  const put = (next: ParameterDefinition | undefined) =>
    change((now) => withProperty(now, 'parameters', withMember(now.parameters, name, next)), `parameter ${name}`);
  const rename = (to: string) => {
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(to))
      return notify(`'${to}': a name is a letter followed by letters, digits, '-' and '_'`);
    if (to in (document.parameters ?? {})) return notify(`There is a parameter '${to}' already`);
    change((now) => renameParameter(now, name, to));
  };
  return (
    <fieldset>
      <div className="pair">
        <TextBox label="Name of the parameter" value={name} onLeave onValue={rename} />
        <select
          aria-label={`Type of ${name}`}
          value={definition.type}
          onChange={(event) =>
            put(
              withProperty(
                { ...definition, type: event.target.value as ParameterDefinition['type'] },
                'default',
                undefined,
              ),
            )
          }
        >
          {parameterTypes.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
        <button type="button" className="quiet small" aria-label={`Remove ${name}`} onClick={() => put(undefined)}>
          <Icon name="close" />
        </button>
      </div>
      <TextBox
        label={`Default of ${name}`}
        placeholder="no default: must be set"
        value={show(definition.default)}
        onValue={(text) =>
          put(withProperty(definition, 'default', readField({ type: parameterFields[definition.type] }, text)))
        }
      />
      <TextBox
        label={`Description of ${name}`}
        placeholder="what it is"
        value={definition.description ?? ''}
        onValue={(text) => put(withProperty(definition, 'description', text || undefined))}
      />
    </fieldset>
  );
}
