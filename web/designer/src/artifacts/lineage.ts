/** Where an artifact comes from and what was made of it, as boxes and lines from left to right. */
import dagre from '@dagrejs/dagre';
import type { Lineage, LineageNode } from '../api';

export interface LaidNode extends LineageNode {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface LaidEdge {
  id: string;
  path: string;
}

interface LaidLineage {
  nodes: LaidNode[];
  edges: LaidEdge[];
  width: number;
  height: number;
}

interface Place {
  x: number;
  y: number;
}

const rowHeight = 34;
const margin = 12;

/** An edge to a node that is not there is left out. */
export function layLineage({ nodes, edges }: Pick<Lineage, 'nodes' | 'edges'>): LaidLineage {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 46, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes)
    graph.setNode(node.id, { width: Math.min(230, Math.max(90, 34 + node.label.length * 7)), height: rowHeight });
  const known = edges.filter((edge) => graph.hasNode(edge.from) && graph.hasNode(edge.to));
  for (const edge of known) graph.setEdge(edge.from, edge.to);
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  // An edge may go around below the lowest box.
  const lowest = Math.max(0, ...known.flatMap((edge) => pointsOf(graph, edge).map((point) => point.y)));
  return {
    nodes: nodes.map((node) => {
      const box = graph.node(node.id);
      return { ...node, x: box.x - box.width / 2, y: box.y - box.height / 2, width: box.width, height: box.height };
    }),
    edges: known.map((edge) => {
      return { id: `${edge.from}>${edge.to}`, path: smooth(pointsOf(graph, edge)) };
    }),
    width: Math.max(1, width),
    height: Math.max(1, height, lowest + margin),
  };
}

const pointsOf = (graph: dagre.graphlib.Graph, { from, to }: { from: string; to: string }): Place[] =>
  (graph.edge(from, to) as { points: Place[] }).points;

function smooth(points: Place[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let from = first;
  return rest.reduce((path, to) => {
    const middle = (from.x + to.x) / 2;
    from = to;
    return `${path} C${middle} ${at(path)} ${middle} ${to.y} ${to.x} ${to.y}`;
  }, `M${first.x} ${first.y}`);
}

// Where a path has come to: its last number.
const at = (path: string): string => path.slice(path.lastIndexOf(' ') + 1);
