import { memo } from 'react';
import type { NodeProps } from '@xyflow/react';
import type { Port } from '../graph/document';
import { newPort } from '../graph/connect';
import { Icon } from '../parts/Icon';
import { plural } from '../parts/format';
import { unknown } from '../graph/ports';
import { FaultBadge, Marks, StatusLine } from './Badges';
import { useCanvas, useStatus } from './canvasStore';
import type { FlowNode } from './flow';
import { Ports } from './Ports';

const more: Port = { name: newPort, type: unknown, optional: true };

/** A box around the stages of a group. Its ports have two sides: one for what is outside, one for what is inside. */
export const GroupNode = memo(function GroupNode({ data, selected }: NodeProps<FlowNode>) {
  const { path, stage, ports, collapsed } = data.node;
  const readOnly = useCanvas((state) => state.readOnly);
  const onCollapse = useCanvas((state) => state.onCollapse);
  const status = useStatus(path);
  const inputs = readOnly || collapsed ? ports.inputs : [...ports.inputs, more];
  const outputs = readOnly || collapsed ? ports.outputs : [...ports.outputs, more];
  const element = (port: Port): Port =>
    stage.matrix && port.type.endsWith('[]') ? { ...port, type: port.type.slice(0, -2) } : port;
  return (
    <div
      className={`group-node ${collapsed ? 'collapsed' : ''} ${selected ? 'selected' : ''} ${status ? `state-${status.state}` : ''}`}
    >
      <header>
        {onCollapse && (
          <button
            type="button"
            className="quiet fold nodrag"
            aria-label={`${collapsed ? 'Open' : 'Close'} the group ${stage.id}`}
            aria-expanded={!collapsed}
            onClick={() => onCollapse(path, !collapsed)}
          >
            <Icon name={collapsed ? 'right' : 'down'} />
          </button>
        )}
        <span className="stage-id">{stage.id}</span>
        <Marks stage={stage} />
        <FaultBadge path={path} />
        {status && !collapsed && <StatusLine status={status} />}
        {collapsed && <span className="stage-kind">{plural(stage.stages!.length, 'stage')} inside</span>}
      </header>
      {collapsed ? (
        <>
          <div className="port-columns">
            <Ports path={path} ports={ports.inputs} side="in" />
            <Ports path={path} ports={ports.outputs} side="out" />
          </div>
          {status && <StatusLine status={status} />}
        </>
      ) : (
        <>
          <div className="border left">
            <Ports path={path} ports={inputs} side="in" />
            <Ports path={path} ports={ports.inputs} side="out" inner />
          </div>
          <div className="border right">
            <Ports path={path} ports={outputs.map(element)} side="in" inner />
            <Ports path={path} ports={ports.outputs} side="out" />
          </div>
        </>
      )}
    </div>
  );
});
