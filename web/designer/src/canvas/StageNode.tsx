import { memo } from 'react';
import type { NodeProps } from '@xyflow/react';
import type { FlowNode } from './flow';
import { equal } from '../graph/difference';
import { isPlaceholder } from '../graph/elsa';
import { familyOf, familyStyle } from './colours';
import { FaultBadge, Marks, StatusLine } from './Badges';
import { useStatus } from './canvasStore';
import { Ports } from './Ports';

// Where it stands is React Flow's: hundreds that are moved at once are not drawn again for it.
const looksSame = (one: NodeProps<FlowNode>, other: NodeProps<FlowNode>): boolean =>
  one.selected === other.selected &&
  one.data.node.path === other.data.node.path &&
  equal(one.data.node.stage, other.data.node.stage) &&
  equal(one.data.node.ports, other.data.node.ports);

/** Any stage that is no group. What it shows comes from the catalog and the document; there is no other component for a kind. */
export const StageNode = memo(function StageNode({ data, selected }: NodeProps<FlowNode>) {
  const { path, stage, ports } = data.node;
  const status = useStatus(path);
  const isWorkflow = stage.workflow !== undefined;
  const what = isWorkflow
    ? `workflow ${typeof stage.workflow === 'string' ? stage.workflow : stage.workflow!.name}`
    : (stage.kind ?? 'no kind');
  return (
    <div
      className={`stage-node ${selected ? 'selected' : ''} ${ports.known ? '' : 'unknown'} ${isWorkflow ? 'workflow' : ''} ${status ? `state-${status.state}` : ''}`}
      style={familyStyle(isWorkflow ? 'workflow' : familyOf(stage.kind))}
      data-name={stage.id}
    >
      <header>
        <span className="stage-id">{stage.id}</span>
        <Marks stage={stage} />
        <FaultBadge path={path} />
        <span className="stage-kind">
          {what}
          {!ports.known && !isWorkflow && (isPlaceholder(stage) ? ' · placeholder' : ' · not found')}
        </span>
      </header>
      <div className="port-columns">
        <Ports path={path} ports={ports.inputs} side="in" />
        <Ports path={path} ports={ports.outputs} side="out" />
      </div>
      {status && <StatusLine status={status} />}
    </div>
  );
}, looksSame);
