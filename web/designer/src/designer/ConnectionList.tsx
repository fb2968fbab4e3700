import { typeStyle } from '../canvas/colours';
import { disconnect, type Endpoint } from '../graph/connect';
import { isGroup, parentOf, type Path, type Source, type Stage } from '../graph/document';
import { isList, portsOf } from '../graph/ports';
import { sourcesOf } from '../graph/references';
import { reveal } from './actions';
import { endpointAt, offerConnections } from './joining';
import { change, select, useDocument, useEditor } from './store';
import { Icon } from '../parts/Icon';

interface Props {
  path: Path;
  stage: Stage;
  faultOf: (field: string) => string | undefined;
}

/** The edges of a stage as text: to be read, followed, made and removed without the mouse. */
export function ConnectionList({ path, stage, faultOf }: Props) {
  const document = useDocument();
  const catalog = useEditor((state) => state.catalog);
  const { inputs, outputs } = portsOf(document, path, catalog);
  return (
    <>
      {inputs.length > 0 && <h3>Inputs</h3>}
      {inputs.map((port) => (
        <PortRow
          key={port.name}
          name={port.name}
          type={port.type}
          optional={port.optional}
          sources={stage.inputs?.[port.name]}
          scope={parentOf(path)}
          end={{ stage: path, port: port.name }}
          error={faultOf(`inputs.${port.name}`)}
        />
      ))}
      {outputs.length > 0 && <h3>Outputs</h3>}
      {outputs.map((port) => (
        <PortRow
          key={port.name}
          name={port.name}
          type={port.type}
          optional
          sources={isGroup(stage) ? stage.outputs?.[port.name] : undefined}
          scope={path}
          end={{ stage: path, port: port.name }}
          inner={isGroup(stage)}
          error={faultOf(`outputs.${port.name}`)}
          isOutput
        />
      ))}
    </>
  );
}

interface PortRowProps {
  name: string;
  type: string;
  optional: boolean;
  sources?: Source;
  scope: Path;
  end: Endpoint;
  inner?: boolean;
  isOutput?: boolean;
  error?: string;
}

function PortRow({ name, type, optional, sources, scope, end, inner, isOutput, error }: PortRowProps) {
  const held = sourcesOf(sources);
  const go = (text: string) => {
    const from = endpointAt(scope, text);
    if (!from) return;
    select([from.stage]);
    reveal(from.stage);
  };
  return (
    <div className={`row port-row ${error ? 'wrong' : ''}`} style={typeStyle(type)}>
      <span className="port-name">
        <i className="dot" />
        {name}
        <span className="type">
          {type}
          {optional && !isOutput ? ', optional' : ''}
        </span>
      </span>
      <button
        type="button"
        className="quiet small"
        aria-label={`Connect ${name}`}
        onClick={(event) => offerConnections(end, isOutput ? 'output' : 'input', cornerOf(event.currentTarget))}
      >
        connect…
      </button>
      {held.map((text, index) => (
        <span className="chip" key={text}>
          {held.length > 1 && !isList(type) && <b>{index + 1}</b>}
          <button type="button" className="link" onClick={() => go(text)}>
            {text}
          </button>
          <button
            type="button"
            className="quiet small"
            aria-label={`Disconnect ${text}`}
            onClick={() => change((document) => disconnect(document, inner ? { ...end, inner } : end, text))}
          >
            <Icon name="close" />
          </button>
        </span>
      ))}
      {error && (
        <small>
          <em>{error}</em>
        </small>
      )}
    </div>
  );
}

const cornerOf = (element: Element) => {
  const { left, bottom } = element.getBoundingClientRect();
  return { x: left - 260, y: bottom + 4 };
};
