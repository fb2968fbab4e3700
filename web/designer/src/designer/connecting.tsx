import type {
  Connection,
  ConnectionLineComponentProps,
  IsValidConnection,
  OnConnectEnd,
  OnConnectStart,
  ReactFlowProps,
} from '@xyflow/react';
import { ConnectionLine } from '../canvas/ConnectionLine';
import type { FlowEdge } from '../canvas/flow';
import type { CanvasNode } from '../canvas/notes';
import { canConnect, type Endpoint } from '../graph/connect';
import { endpointOfHandle, handleId } from '../graph/graph';
import { candidates } from '../graph/targets';
import { join, offerConnections } from './joining';
import { canvasStore, currentDocument, useEditor } from './store';

// A port that is taken is no refusal: who lets go over it is asked what is to become of what feeds it.
function refusal(from: Endpoint, to: Endpoint): string | undefined {
  const verdict = canConnect(currentDocument(), useEditor.getState().catalog, from, to);
  return verdict.ok || verdict.code === 'occupied' ? undefined : verdict.reason;
}

const ends = ({ source, sourceHandle, target, targetHandle }: Connection | FlowEdge): [Endpoint, Endpoint] => [
  endpointOfHandle(source, sourceHandle!),
  endpointOfHandle(target, targetHandle!),
];

const pointOf = (event: MouseEvent | TouchEvent) => {
  const point = 'changedTouches' in event ? event.changedTouches[0]! : event;
  return { x: point.clientX, y: point.clientY };
};

const isValidConnection: IsValidConnection<FlowEdge> = (connection) =>
  refusal(...ends(connection as Connection)) === undefined;

const onConnectStart: OnConnectStart = (_, { nodeId, handleId: handle, handleType }) => {
  if (!nodeId || !handle) return;
  const side = handleType === 'source' ? 'output' : 'input';
  const found = candidates(currentDocument(), useEditor.getState().catalog, endpointOfHandle(nodeId, handle), side);
  const other = side === 'output' ? 'in' : 'out';
  canvasStore.setState({ fitting: new Set(found.map(({ end }) => `${end.stage}|${handleId(other, end)}`)) });
};

const onConnectEnd: OnConnectEnd = (event, { fromNode, fromHandle, toHandle, isValid }) => {
  canvasStore.setState({ fitting: undefined });
  if (!fromNode || !fromHandle?.id) return;
  const at = pointOf(event);
  const from = endpointOfHandle(fromNode.id, fromHandle.id);
  const isSource = fromHandle.type === 'source';
  if (toHandle?.id && !isValid) {
    const to = endpointOfHandle(toHandle.nodeId, toHandle.id);
    if (fromHandle.type !== toHandle.type) isSource ? join(from, to) : join(to, from);
  } else if (!toHandle) {
    const place = useEditor.getState().flow?.screenToFlowPosition(at);
    offerConnections(from, isSource ? 'output' : 'input', at, place && { x: place.x, y: place.y - 40 });
  }
};

function Line(props: ConnectionLineComponentProps<CanvasNode>) {
  return (
    <ConnectionLine
      {...props}
      reasonAt={(from, to) => {
        const [a, b] = [endpointOfHandle(from.node, from.handle), endpointOfHandle(to.node, to.handle)];
        return from.handle.startsWith('out') ? refusal(a, b) : refusal(b, a);
      }}
    />
  );
}

/** A connection drawn by hand: which ports fit while it is drawn, why one does not, and what letting go does. */
export const connecting = {
  isValidConnection,
  onConnect: (connection) => join(...ends(connection)),
  onConnectStart,
  onConnectEnd,
  connectionLineComponent: Line,
} satisfies ReactFlowProps<CanvasNode, FlowEdge>;
