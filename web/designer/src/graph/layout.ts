/** Laying out, aligning and distributing. */
import dagre from '@dagrejs/dagre';
import { parentOf, type Catalog, type Path, type Position, type WorkflowDocument } from './document';
import { dependencies, lift } from './connect';
import { moveStages } from './edit';
import { groupSize, toGraph, type GraphNode, type Size } from './graph';
import { groupPadding } from './groups';

export interface Box {
  path: Path;
  position: Position;
  size: Size;
}

/** Lays everything out from left to right, the groups from the inside out. */
export function autoLayout(document: WorkflowDocument, catalog: Catalog): WorkflowDocument {
  const { nodes } = toGraph(document, catalog, true);
  const fed = dependencies(document);
  const positions: Record<Path, Position> = {};
  layOut('', nodes, fed, positions);
  return moveStages(document, positions);
}

function layOut(
  scope: Path,
  nodes: GraphNode[],
  fed: ReadonlyMap<Path, ReadonlySet<Path>>,
  positions: Record<Path, Position>,
): Box[] {
  const here = nodes.filter((node) => (node.parent ?? '') === scope);
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 36, ranksep: 72, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  const sizes = new Map<Path, Size>();
  for (const node of here) {
    const inner = node.stage.stages ? layOut(node.path, nodes, fed, positions) : [];
    const size = node.stage.stages && !node.collapsed ? groupSize(inner, node.ports) : node.size;
    sizes.set(node.path, size);
    graph.setNode(node.path, { ...size });
  }
  for (const node of here)
    for (const to of fed.get(node.path) ?? []) {
      const target = lift(to, scope);
      if (target !== undefined && sizes.has(target)) graph.setEdge(node.path, target);
    }
  dagre.layout(graph);
  const origin = scope === '' ? { left: 0, top: 0 } : groupPadding;
  return here.map((node) => {
    const size = sizes.get(node.path)!;
    const { x, y } = graph.node(node.path);
    const position = { x: x - size.width / 2 + origin.left, y: y - size.height / 2 + origin.top };
    positions[node.path] = position;
    return { path: node.path, position, size };
  });
}

/** Places those stages that the document has no place for; the others stay where they are. */
export function placeMissing(document: WorkflowDocument, catalog: Catalog): WorkflowDocument {
  const { nodes } = toGraph(document, catalog, true);
  const missing = nodes.filter((node) => document.layout?.[node.path] === undefined);
  if (missing.length === 0) return document;
  const laidOut = autoLayout(document, catalog);
  if (missing.length === nodes.length) return laidOut;
  const below =
    Math.max(
      ...nodes
        .filter((node) => !node.parent && !missing.includes(node))
        .map((node) => node.position.y + node.size.height),
      0,
    ) + 60;
  return moveStages(
    document,
    Object.fromEntries(
      missing.map(({ path }) => {
        const at = laidOut.layout![path]!;
        const apart = missing.some((node) => node.path === parentOf(path)) || parentOf(path) !== '';
        return [path, apart ? at : { x: at.x, y: at.y + below }];
      }),
    ),
  );
}

/** The place nearest below a wanted one where a box covers no other. */
export function freePlace(taken: Pick<Box, 'position' | 'size'>[], wanted: Position, size: Size, gap = 24): Position {
  const covers = (at: Position) =>
    taken.filter(
      (box) =>
        at.x < box.position.x + box.size.width + gap &&
        box.position.x < at.x + size.width + gap &&
        at.y < box.position.y + box.size.height + gap &&
        box.position.y < at.y + size.height + gap,
    );
  let at = wanted;
  // Each step passes the lowest box in the way, so it ends after as many as there are.
  for (let inWay = covers(at); inWay.length > 0; inWay = covers(at))
    at = { x: at.x, y: Math.max(...inWay.map((box) => box.position.y + box.size.height)) + gap };
  return at;
}

export type Alignment = 'left' | 'right' | 'top' | 'bottom' | 'center' | 'middle';

export function align(boxes: Box[], to: Alignment): Record<Path, Position> {
  const left = Math.min(...boxes.map((box) => box.position.x));
  const right = Math.max(...boxes.map((box) => box.position.x + box.size.width));
  const top = Math.min(...boxes.map((box) => box.position.y));
  const bottom = Math.max(...boxes.map((box) => box.position.y + box.size.height));
  const place = ({ position, size }: Box): Position => {
    switch (to) {
      case 'left':
        return { ...position, x: left };
      case 'right':
        return { ...position, x: right - size.width };
      case 'center':
        return { ...position, x: (left + right - size.width) / 2 };
      case 'top':
        return { ...position, y: top };
      case 'bottom':
        return { ...position, y: bottom - size.height };
      case 'middle':
        return { ...position, y: (top + bottom - size.height) / 2 };
    }
  };
  return Object.fromEntries(boxes.map((box) => [box.path, place(box)]));
}

/** Makes the gaps between stages equal; the outermost two stay. */
export function distribute(boxes: Box[], axis: 'x' | 'y'): Record<Path, Position> {
  const length = axis === 'x' ? 'width' : 'height';
  const sorted = [...boxes].sort((a, b) => a.position[axis] - b.position[axis]);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (!first || !last || sorted.length < 3) return {};
  const span = last.position[axis] + last.size[length] - first.position[axis];
  const gap = (span - sorted.reduce((sum, box) => sum + box.size[length], 0)) / (sorted.length - 1);
  let at = first.position[axis];
  return Object.fromEntries(
    sorted.map((box) => {
      const position = { ...box.position, [axis]: at };
      at += box.size[length] + gap;
      return [box.path, position];
    }),
  );
}
