import { getBezierPath, type ConnectionLineComponentProps } from '@xyflow/react';
import { edgeColour } from './colours';
import { isNote, type CanvasNode } from './notes';
import { endpointOfHandle } from '../graph/graph';

interface Props extends ConnectionLineComponentProps<CanvasNode> {
  /** Why the connection cannot be made where it is now. */
  reasonAt: (from: { node: string; handle: string }, to: { node: string; handle: string }) => string | undefined;
}

/** The line being drawn, in the colour of its type; over a port that it does not fit it says why. */
export function ConnectionLine({
  fromX,
  fromY,
  toX,
  toY,
  fromPosition,
  toPosition,
  fromNode,
  fromHandle,
  toHandle,
  reasonAt,
}: Props) {
  const [path] = getBezierPath({
    sourceX: fromX,
    sourceY: fromY,
    sourcePosition: fromPosition,
    targetX: toX,
    targetY: toY,
    targetPosition: toPosition,
  });
  const { port } = endpointOfHandle(fromNode.id, fromHandle.id!);
  const from = fromNode.internals.userNode;
  if (isNote(from)) return null;
  const { inputs, outputs } = from.data.node.ports;
  const type =
    [...(fromHandle.type === 'source' ? outputs : []), ...inputs, ...outputs].find((one) => one.name === port)?.type ??
    '?';
  const reason = toHandle?.id
    ? reasonAt({ node: fromNode.id, handle: fromHandle.id! }, { node: toHandle.nodeId, handle: toHandle.id })
    : undefined;
  return (
    <g>
      <path
        d={path}
        fill="none"
        strokeWidth={2}
        style={{ stroke: reason ? 'var(--bad)' : edgeColour(type) }}
        strokeDasharray={reason ? '4 4' : undefined}
      />
      {reason && (
        <foreignObject x={toX + 14} y={toY + 8} width={280} height={90}>
          <div className="refusal">{reason}</div>
        </foreignObject>
      )}
    </g>
  );
}
