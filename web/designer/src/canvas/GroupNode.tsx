import { memo } from 'react';
import type { NodeProps } from '@xyflow/react';
import type { Port } from '../graph/document';
import { newPort } from '../graph/connect';
import { unknown } from '../graph/ports';
import { FaultBadge, Marks, StatusLine } from './Badges';
import { useCanvas, useStatus } from './canvasStore';
import type { FlowNode } from './flow';
import { Ports } from './Ports';

const more: Port = { name: newPort, type: unknown, optional: true };

/** A box around the stages of a group. Its ports have two sides: one for what is outside, one for what is inside. */
export const GroupNode = memo(function GroupNode({ data, selected }: NodeProps<FlowNode>) {
  const { path, stage, ports } = data.node;
  const readOnly = useCanvas((state) => state.readOnly);
  const status = useStatus(path);
  const inputs = readOnly ? ports.inputs : [...ports.inputs, more];
  const outputs = readOnly ? ports.outputs : [...ports.outputs, more];
  const element = (port: Port): Port =>
    stage.matrix && port.type.endsWith('[]') ? { ...port, type: port.type.slice(0, -2) } : port;
  return (
    <div className={`group-node ${selected ? 'selected' : ''} ${status ? `state-${status.state}` : ''}`}>
      <header>
        <span className="stage-id">{stage.id}</span>
        <Marks stage={stage} />
        <FaultBadge path={path} />
        {status && <StatusLine status={status} />}
      </header>
      <div className="border left">
        <Ports path={path} ports={inputs} side="in" />
        <Ports path={path} ports={ports.inputs} side="out" inner />
      </div>
      <div className="border right">
        <Ports path={path} ports={outputs.map(element)} side="in" inner />
        <Ports path={path} ports={ports.outputs} side="out" />
      </div>
    </div>
  );
});
