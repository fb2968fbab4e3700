import {
  useCallback,
  useEffect,
  useMemo,
  useState,
  type DragEvent,
  type FocusEvent,
  type MouseEvent as ReactMouseEvent,
} from 'react';
import {
  applyEdgeChanges,
  applyNodeChanges,
  ReactFlow,
  SelectionMode,
  type EdgeChange,
  type NodeChange,
  type ReactFlowInstance,
  type ReactFlowProps,
} from '@xyflow/react';
import { Backdrop, canvasProps } from '../canvas/Backdrop';
import { CanvasContext } from '../canvas/canvasStore';
import { flowEdges, flowNodes, type FlowEdge, type FlowNode } from '../canvas/flow';
import { isNote, noteIndex, type CanvasNode, type NoteFlowNode } from '../canvas/notes';
import { moveStages } from '../graph/edit';
import { toGraph } from '../graph/graph';
import { add, dropInto } from './actions';
import { connecting } from './connecting';
import { openCommandBar } from './commands';
import { placeNotes, useNotes } from './useNotes';
import {
  canvasStore,
  change,
  chooseNote,
  currentDocument,
  openWorkflow,
  select,
  show,
  useDocument,
  useEditor,
} from './store';

export const dragType = 'application/x-pipelines-kind';

// Who goes through the graph with Tab chooses what is focused; a click says itself what it chooses.
function chooseFocused({ target }: FocusEvent): void {
  if (!target.matches(':focus-visible') || !(target instanceof HTMLElement || target instanceof SVGElement)) return;
  const id = target.dataset['id'];
  if (id === undefined) return;
  const note = noteIndex(id);
  if (note !== undefined) chooseNote(note);
  else if (target.classList.contains('react-flow__node')) select([id]);
  else if (target.classList.contains('react-flow__edge')) select([], [id]);
}

function onDrop(event: DragEvent): void {
  const kind = event.dataTransfer.getData(dragType);
  const at = useEditor.getState().flow?.screenToFlowPosition({ x: event.clientX - 60, y: event.clientY - 20 });
  if (kind && at) add(kind, at);
}

function openMenu(event: ReactMouseEvent | MouseEvent, path?: string): void {
  event.preventDefault();
  const note = path === undefined ? undefined : noteIndex(path);
  if (note !== undefined) chooseNote(note);
  else if (path !== undefined && !useEditor.getState().selection.has(path)) select([path]);
  show({ kind: 'menu', at: { x: event.clientX, y: event.clientY } });
}

// What never changes is the same object each time: React Flow asks all nodes, ports and edges anew for each that is not.
const gestures = {
  onInit: (flow) => useEditor.setState({ flow: flow as unknown as ReactFlowInstance<FlowNode, FlowEdge> }),
  onNodeDoubleClick: (_, node) =>
    !isNote(node) && typeof node.data.node.stage.workflow === 'object' && openWorkflow(node.id),
  onNodeContextMenu: (event, node) => openMenu(event, node.id),
  onSelectionContextMenu: (event) => openMenu(event),
  onPaneContextMenu: (event) => openMenu(event),
  onPaneClick: (event) => event.detail === 2 && openCommandBar(),
  onDragOver: (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  },
  onDrop,
  onFocus: chooseFocused,
  selectionKeyCode: 'Shift',
  multiSelectionKeyCode: ['Control', 'Meta', 'Shift'],
  selectionMode: SelectionMode.Partial,
  disableKeyboardA11y: true,
  zoomOnDoubleClick: false,
  snapToGrid: true,
  snapGrid: [12, 12],
  connectionRadius: 26,
} satisfies ReactFlowProps<CanvasNode, FlowEdge>;

/** The canvas of the designer. The document is the truth; only a drag that is under way lives here. */
export function Canvas() {
  const document = useDocument();
  const catalog = useEditor((state) => state.catalog);
  const selection = useEditor((state) => state.selection);
  const chosenEdges = useEditor((state) => state.edges);
  const graph = useMemo(() => toGraph(document, catalog), [document, catalog]);
  const [nodes, setNodes] = useState<FlowNode[]>(() => flowNodes(graph, [], selection));
  const [edges, setEdges] = useState<FlowEdge[]>(() => flowEdges(graph, [], chosenEdges));
  useEffect(() => setNodes((before) => flowNodes(graph, before, selection)), [graph, selection]);
  useEffect(() => setEdges((before) => flowEdges(graph, before, chosenEdges)), [graph, chosenEdges]);

  const notes = useNotes();
  const all = useMemo((): CanvasNode[] => [...notes.nodes, ...nodes], [notes.nodes, nodes]);

  const onNodesChange = useCallback((every: NodeChange<CanvasNode>[]) => {
    const ofNote = (one: NodeChange<CanvasNode>) => 'id' in one && noteIndex(one.id) !== undefined;
    notes.onChanges(every.filter(ofNote) as NodeChange<NoteFlowNode>[]);
    const changes = every.filter((one) => !ofNote(one)) as NodeChange<FlowNode>[];
    const picks = changes.filter((one) => one.type === 'select');
    if (picks.length > 0) {
      const chosen = new Set(useEditor.getState().selection);
      for (const one of picks) one.selected ? chosen.add(one.id) : chosen.delete(one.id);
      const { note } = useEditor.getState();
      select(chosen, useEditor.getState().edges);
      if (chosen.size === 0) chooseNote(note);
    }
    const moves = changes.filter((one) => one.type === 'position' || one.type === 'dimensions');
    if (moves.length > 0) setNodes((before) => applyNodeChanges(moves, before));
  }, []);
  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => {
    const picks = changes.filter((one) => one.type === 'select');
    if (picks.length === 0) return;
    const chosen = new Set(useEditor.getState().edges);
    for (const one of picks) one.selected ? chosen.add(one.id) : chosen.delete(one.id);
    select(useEditor.getState().selection, chosen);
    setEdges((before) => applyEdgeChanges(picks, before));
  }, []);
  // What was refused, or held back by the corner of its group, goes to where the document has it.
  const restore = useCallback(() => {
    const state = useEditor.getState();
    setNodes((before) => flowNodes(toGraph(currentDocument(), state.catalog), before, state.selection));
  }, []);
  const onDragStop = useCallback((_: unknown, __: CanvasNode, dragged: CanvasNode[]) => {
    placeNotes(dragged.filter(isNote));
    const moved = dragged.filter((node) => !isNote(node)) as FlowNode[];
    if (moved.length === 0) return;
    const [only] = moved.length === 1 ? moved : [];
    if (only && dropInto(only.id, only.position)) return restore();
    change((now) =>
      moveStages(
        now,
        // Inside of a group nothing stands before its corner.
        Object.fromEntries(
          moved.map(({ id, parentId, position: { x, y } }) => [
            id,
            parentId ? { x: Math.max(x, 16), y: Math.max(y, 48) } : { x, y },
          ]),
        ),
      ),
    );
    restore();
  }, []);
  const onSelectionDragStop = useCallback(
    (event: ReactMouseEvent, moved: CanvasNode[]) => onDragStop(event, moved[0]!, moved),
    [],
  );

  return (
    <CanvasContext.Provider value={canvasStore}>
      <ReactFlow<CanvasNode, FlowEdge>
        {...canvasProps}
        nodes={all}
        edges={edges}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onNodeDragStop={onDragStop}
        onSelectionDragStop={onSelectionDragStop}
        {...connecting}
        {...gestures}
      >
        <Backdrop map="Map of the workflow" />
      </ReactFlow>
    </CanvasContext.Provider>
  );
}
