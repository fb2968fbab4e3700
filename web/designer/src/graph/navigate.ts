/** Walking the graph with the arrow keys. */
import { dependencies } from './connect';
import { absolutePosition, type GraphNode } from './graph';
import type { Path, WorkflowDocument } from './document';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Along an edge where there is one, else to the nearest stage in that direction. */
export function neighbour(document: WorkflowDocument, nodes: GraphNode[], from: Path, to: Direction): Path | undefined {
  const centre = (path: Path) => {
    const { x, y } = absolutePosition(nodes, path);
    const size = nodes.find((node) => node.path === path)!.size;
    return { x: x + size.width / 2, y: y + size.height / 2 };
  };
  const here = centre(from);
  const joined = joinedTo(document, from, to).filter((path) => nodes.some((node) => node.path === path));
  const nearest = (paths: Path[]) =>
    paths
      .map((path) => ({ path, at: centre(path) }))
      .sort((a, b) => distance(here, a.at, to) - distance(here, b.at, to))[0]?.path;
  if (joined.length > 0) return nearest(joined);
  return nearest(nodes.map((node) => node.path).filter((path) => path !== from && isTowards(here, centre(path), to)));
}

function joinedTo(document: WorkflowDocument, from: Path, to: Direction): Path[] {
  const fed = dependencies(document);
  if (to === 'right') return [...(fed.get(from) ?? [])];
  if (to === 'left') return [...fed].filter(([, targets]) => targets.has(from)).map(([path]) => path);
  return [];
}

interface Point {
  x: number;
  y: number;
}

function isTowards(here: Point, there: Point, to: Direction): boolean {
  const [dx, dy] = [there.x - here.x, there.y - here.y];
  return { left: dx < 0, right: dx > 0, up: dy < 0, down: dy > 0 }[to];
}

// What lies straight ahead is nearer than what lies aside.
function distance(here: Point, there: Point, to: Direction): number {
  const [dx, dy] = [Math.abs(there.x - here.x), Math.abs(there.y - here.y)];
  return to === 'left' || to === 'right' ? dx + 2 * dy : dy + 2 * dx;
}
