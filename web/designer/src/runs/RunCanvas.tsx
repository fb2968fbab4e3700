import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ReactFlow, type NodeChange } from '@xyflow/react';
import type { RunView } from '../api';
import { Backdrop, canvasProps } from '../canvas/Backdrop';
import { CanvasContext, createCanvasStore } from '../canvas/canvasStore';
import { flowEdges, flowNodes, type FlowEdge, type FlowNode } from '../canvas/flow';
import { noteIndex, noteNodes, type CanvasNode } from '../canvas/notes';
import type { Catalog, Path, WorkflowDocument } from '../graph/document';
import { toGraph } from '../graph/graph';
import { setCollapsed } from '../graph/collapse';
import { layoutAside } from '../graph/layoutAside';
import { equal } from '../graph/difference';
import { isShown, nodeOf, type ChosenBranches } from './branches';
import { statusesOf } from './statuses';

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
  const [folded, setFolded] = useState<Record<Path, boolean>>({});
  const placed = usePlaced(definition, catalog);
  const graph = useMemo(() => {
    const drawn = Object.entries(folded).reduce((now, [path, collapsed]) => setCollapsed(now, path, collapsed), placed);
    return toGraph(drawn, catalog);
  }, [placed, folded, catalog]);
  const notes = useMemo(() => noteNodes(definition, []), [definition]);
  useEffect(
    () =>
      store.setState({ onCollapse: (path, collapsed) => setFolded((before) => ({ ...before, [path]: collapsed })) }),
    [store],
  );
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

  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      for (const one of changes)
        if (one.type === 'select' && one.selected && noteIndex(one.id) === undefined) onChoose(one.id);
    },
    [onChoose],
  );

  const all = useMemo((): CanvasNode[] => [...notes, ...nodes], [notes, nodes]);
  if (nodes.length === 0) return null;
  return (
    <CanvasContext.Provider value={store}>
      <ReactFlow<CanvasNode, FlowEdge>
        {...canvasProps}
        nodes={all}
        edges={shownEdges}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        onNodeClick={(_, node) => noteIndex(node.id) === undefined && onChoose(node.id)}
        onPaneClick={() => onChoose(undefined)}
        onNodesChange={onNodesChange}
      >
        <Backdrop map="Map of the run" />
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

// What has no place in the document gets one, in a worker where there is much of it.
function usePlaced(definition: WorkflowDocument, catalog: Catalog): WorkflowDocument {
  const [placed, setPlaced] = useState<WorkflowDocument>({ ...definition, stages: [] });
  useEffect(() => {
    let current = true;
    void layoutAside('missing', definition, catalog).then((done) => current && setPlaced(done));
    return () => {
      current = false;
    };
  }, [definition, catalog]);
  return placed;
}
