import { Handle, Position } from '@xyflow/react';
import type { Path, Port } from '../graph/document';
import { insidePort } from '../graph/collapse';
import { newPort } from '../graph/connect';
import { handleId } from '../graph/graph';
import { isList } from '../graph/ports';
import { useCanvas, useFaults } from './canvasStore';
import { typeStyle } from './colours';

interface Props {
  path: Path;
  ports: Port[];
  side: 'in' | 'out';
  inner?: boolean;
}

/** A column of ports: a dot of the type's colour, the name, the type when it is pointed at. */
export function Ports({ path, ports, side, inner }: Props) {
  const faults = useFaults(path);
  // As one text, so that a node is drawn again only when its own ports are concerned.
  const fitting = useCanvas(({ fitting: fits }) =>
    fits === undefined
      ? undefined
      : ports
          .filter((port) => fits.has(`${path}|${handleId(side, { port: port.name, inner })}`))
          .map((port) => port.name)
          .join('\n'),
  );
  const fits = fitting?.split('\n');
  // From outside a group's input is a target; seen from inside it is a source.
  const isTarget = side === 'in';
  const left = isTarget !== Boolean(inner);
  return (
    <ul className={`ports ${left ? 'left' : 'right'} ${inner ? 'inner' : ''}`}>
      {ports.map((port) => {
        const wrong =
          side === 'in' && faults.some((fault) => fault.field === `${inner ? 'outputs' : 'inputs'}.${port.name}`);
        const state = fits === undefined ? '' : fits.includes(port.name) ? 'fits' : 'faded';
        return (
          <li
            key={port.name}
            className={`port ${wrong ? 'wrong' : ''} ${state}`}
            style={typeStyle(port.type)}
            title={
              port.name === insidePort
                ? 'What goes past the ports of the group; open it to see where'
                : port.name === newPort
                  ? `Drop a connection here for a new ${inner ? 'output' : 'input'} of the group`
                  : `${port.name}: ${port.type}${port.optional ? ' (optional)' : ''}`
            }
          >
            <Handle
              type={isTarget ? 'target' : 'source'}
              position={isTarget ? Position.Left : Position.Right}
              id={handleId(side, { port: port.name, inner })}
              isConnectable={port.name !== insidePort}
              className={`${isList(port.type) ? 'list' : ''} ${port.optional ? 'optional' : ''}`}
            />
            <span>{port.name === newPort ? '' : port.name}</span>
          </li>
        );
      })}
    </ul>
  );
}
