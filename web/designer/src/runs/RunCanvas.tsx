import { useEffect, useMemo, useRef, useState } from 'react';
import { Background, BackgroundVariant, Controls, MiniMap, ReactFlow } from '@xyflow/react';
import type { RunView } from '../api';
import { CanvasContext, createCanvasStore } from '../canvas/canvasStore';
import { familyHue, familyOf } from '../canvas/colours';
import { flowEdges, flowNodes, type FlowEdge, type FlowNode } from '../canvas/flow';
import { firstView } from '../canvas/view';
import { GroupNode } from '../canvas/GroupNode';
import { StageNode } from '../canvas/StageNode';
import type { Catalog, Path } from '../graph/document';
import { toGraph } from '../graph/graph';
import { placeMissing } from '../graph/layout';
import { equal } from '../graph/difference';
import { isShown, nodeOf, type ChosenBranches } from './branches';
import { statusesOf } from './statuses';

const nodeTypes = { stage: StageNode, group: GroupNode };
const none: ReadonlySet<string> = new Set();

interface Props {
  run: RunView;
  catalog: Catalog;
  chosen?: Path;
  branches: ChosenBranches;
  onChoose: (path: Path | undefined) => void;
}

/** The graph that ran, with what its stages do. A change of one stage draws that one again and no other. */
export function RunCanvas({ run, catalog, chosen, branches, onChoose }: Props) {
  const [store] = useState(() => createCanvasStore(true));
  const definition = useStable(run.definition);
  const graph = useMemo(() => toGraph(placeMissing(definition, catalog), catalog), [definition, catalog]);
  const [nodes, setNodes] = useState<FlowNode[]>([]);
  const edges: FlowEdge[] = useMemo(() => flowEdges(graph, [], none), [graph]);
  useEffect(
    () => setNodes((before) => flowNodes(graph, before, chosen === undefined ? none : new Set([chosen]))),
    [graph, chosen],
  );
  useEffect(
    () =>
      store.setState(({ statuses: before }) => {
        const statuses = statusesOf(run.stages, definition, branches);
        for (const [path, status] of Object.entries(statuses))
          if (equal(before[path], status)) statuses[path] = before[path]!;
        return { statuses };
      }),
    [store, run.stages, definition, branches],
  );
  const running = useMemo(
    () =>
      new Set(
        run.stages
          .filter((stage) => stage.state === 'running' && isShown(stage.id, branches))
          .map((stage) => nodeOf(stage.id)),
      ),
    [run.stages, branches],
  );
  const shownEdges = useMemo(
    () => edges.map((edge) => (running.has(edge.target) ? { ...edge, animated: true } : edge)),
    [edges, running],
  );

  if (nodes.length === 0) return null;
  return (
    <CanvasContext.Provider value={store}>
      <ReactFlow<FlowNode, FlowEdge>
        nodes={nodes}
        edges={shownEdges}
        nodeTypes={nodeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        onNodeClick={(_, node) => onChoose(node.id)}
        onPaneClick={() => onChoose(undefined)}
        onNodesChange={(changes) => {
          for (const one of changes) if (one.type === 'select' && one.selected) onChoose(one.id);
        }}
        deleteKeyCode={null}
        minZoom={0.1}
        fitView
        fitViewOptions={firstView}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={24} size={1.5} />
        <Controls showInteractive={false} />
        <MiniMap<FlowNode>
          style={{ width: 150, height: 96 }}
          pannable
          zoomable
          ariaLabel="Map of the run"
          nodeColor={(node) =>
            `hsl(${familyHue(familyOf(node.data.node.stage.kind))} 45% 55% / ${node.type === 'group' ? 0.2 : 0.9})`
          }
        />
      </ReactFlow>
    </CanvasContext.Provider>
  );
}

// The run is fetched again and again; its definition is the same every time.
function useStable<T>(value: T): T {
  const kept = useRef(value);
  if (!equal(kept.current, value)) kept.current = value;
  return kept.current;
}
