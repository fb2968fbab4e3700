/** The graph in React Flow's terms. A node or edge that did not change keeps its identity, and is not drawn again. */
import type { Edge, Node } from '@xyflow/react';
import { equal } from '../graph/difference';
import type { Path } from '../graph/document';
import { handleId, type Graph, type GraphEdge, type GraphNode } from '../graph/graph';
import { edgeColour } from './colours';

export type FlowNode = Node<{ node: GraphNode }, 'stage' | 'group'>;
export type FlowEdge = Edge<{ edge: GraphEdge }>;

export function flowNodes(graph: Graph, before: FlowNode[], selected: ReadonlySet<Path>): FlowNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  return graph.nodes.map((node): FlowNode => {
    const old = known.get(node.path);
    const isSelected = selected.has(node.path);
    const same = old && (old.data.node === node || equal(old.data.node, node));
    if (same && old.selected === isSelected && equal(old.position, node.position)) return old;
    const { measured, internals: _, ...kept } = (old ?? {}) as Partial<FlowNode> & { internals?: unknown };
    return {
      ...kept,
      measured: old && equal(old.data.node.size, node.size) ? measured : undefined,
      id: node.path,
      type: node.stage.stages ? 'group' : 'stage',
      position: node.position,
      width: node.size.width,
      height: node.size.height,
      parentId: node.parent,
      selected: isSelected,
      data: same ? old.data : { node },
      ariaLabel: `Stage ${node.path}`,
    };
  });
}

export function flowEdges(graph: Graph, before: FlowEdge[], selected: ReadonlySet<string>): FlowEdge[] {
  const known = new Map(before.map((edge) => [edge.id, edge]));
  return graph.edges.map((edge): FlowEdge => {
    const old = known.get(edge.id);
    const isSelected = selected.has(edge.id);
    if (old && old.selected === isSelected && equal(old.data?.edge, edge)) return old;
    return {
      id: edge.id,
      source: edge.from.stage,
      sourceHandle: handleId('out', edge.from),
      target: edge.to.stage,
      targetHandle: handleId('in', edge.to),
      selectable: !edge.lifted,
      focusable: !edge.lifted,
      selected: isSelected,
      label: edge.choice > 0 && !edge.type.endsWith('[]') ? `${edge.choice}` : undefined,
      style: { stroke: edgeColour(edge.type) },
      className: edge.type.endsWith('[]') ? 'list-edge' : undefined,
      data: { edge },
      ariaLabel: `${edge.from.stage} ${edge.from.port} to ${edge.to.stage} ${edge.to.port}`,
    };
  });
}
