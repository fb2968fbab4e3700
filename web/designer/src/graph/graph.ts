/** The document as boxes and lines. The document stays the truth: nothing is read back from here but positions. */
import {
  isGroup,
  join,
  stagesIn,
  walk,
  type Catalog,
  type Path,
  type Port,
  type Position,
  type Source,
  type Stage,
  type WorkflowDocument,
} from './document';
import { type Endpoint } from './connect';
import { hiddenBy, insidePort, isCollapsed, seenEnd } from './collapse';
import { portsOf, typeOf, unknown, type Ports } from './ports';
import { groupInputs, parseSource, resolve, sourcesOf } from './references';

export interface Size {
  width: number;
  height: number;
}

export interface GraphNode {
  path: Path;
  /** The group around; undefined for none. */
  parent?: Path;
  position: Position;
  size: Size;
  stage: Stage;
  ports: Ports;
  /** Of a group: drawn as one box, its stages hidden. */
  collapsed?: boolean;
}

export interface GraphEdge {
  id: string;
  from: Endpoint;
  to: Endpoint;
  type: string;
  /** Its place among several sources of one port, from 1; 0 where it is the only one. */
  choice: number;
  /** It ends inside of a collapsed group; it is shown at the border and cannot be changed there. */
  lifted?: boolean;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

const nodeWidth = 188;
const header = 54;
const portHeight = 22;
const footer = 10;
const groupMargin = { right: 112, bottom: 28 };
const emptyGroup: Size = { width: 300, height: 180 };

function sizeOf(ports: Ports): Size {
  const rows = Math.max(ports.inputs.length, ports.outputs.length);
  return { width: nodeWidth, height: header + rows * portHeight + (rows > 0 ? footer : 0) };
}

/** Room for the stages inside, and for the ports of the borders. */
export function groupSize(children: { position: Position; size: Size }[], ports: Ports): Size {
  const rows = Math.max(ports.inputs.length, ports.outputs.length) + 1;
  const least = header + rows * portHeight + footer;
  return {
    width: Math.max(
      emptyGroup.width,
      ...children.map(({ position, size }) => position.x + size.width + groupMargin.right),
    ),
    height: Math.max(
      children.length === 0 ? emptyGroup.height : 0,
      least,
      ...children.map(({ position, size }) => position.y + size.height + groupMargin.bottom),
    ),
  };
}

/** @param everything Also what is in collapsed groups, as if they were open. */
export function toGraph(document: WorkflowDocument, catalog: Catalog, everything = false): Graph {
  const nodes = nodesIn(document, catalog, '');
  const edges = edgesOf(document, catalog);
  if (everything || !nodes.some((node) => node.collapsed)) return { nodes, edges };
  const lifted = new Map<string, GraphEdge>();
  for (const edge of edges) {
    const [from, to] = [seenEnd(document, edge.from), seenEnd(document, edge.to)];
    if (from === edge.from && to === edge.to) lifted.set(edge.id, edge);
    else if (from.stage !== to.stage) {
      const id = edgeId(from, to);
      lifted.set(id, { ...edge, id, from, to, choice: 0, lifted: true });
    }
  }
  const seen = nodes.filter((node) => hiddenBy(document, node.path) === undefined);
  return { nodes: seen.map((node) => withInsidePorts(node, [...lifted.values()])), edges: [...lifted.values()] };
}

function withInsidePorts(node: GraphNode, edges: GraphEdge[]): GraphNode {
  if (!node.collapsed) return node;
  const through = (end: 'from' | 'to'): Port[] =>
    edges.some((edge) => edge[end].stage === node.path && edge[end].port === insidePort)
      ? [{ name: insidePort, type: unknown, optional: true }]
      : [];
  const ports: Ports = {
    ...node.ports,
    inputs: [...node.ports.inputs, ...through('to')],
    outputs: [...node.ports.outputs, ...through('from')],
  };
  return { ...node, ports, size: sizeOf(ports) };
}

function nodesIn(document: WorkflowDocument, catalog: Catalog, scope: Path): GraphNode[] {
  let free = 0;
  return stagesIn(document, scope).flatMap((stage) => {
    const path = join(scope, stage.id);
    const inner = isGroup(stage) ? nodesIn(document, catalog, path) : [];
    const ports = portsOf(document, path, catalog);
    const children = inner.filter((node) => node.parent === path);
    const collapsed = isGroup(stage) && isCollapsed(document, path);
    const node: GraphNode = {
      path,
      position: document.layout?.[path] ?? placeWithout(scope, free++),
      size: isGroup(stage) && !collapsed ? groupSize(children, ports) : sizeOf(ports),
      stage,
      ports,
    };
    if (scope !== '') node.parent = scope;
    if (collapsed) node.collapsed = true;
    return [node, ...inner];
  });
}

// A stage without a place in the document; whoever opens the document lays such ones out.
const placeWithout = (scope: Path, index: number): Position => ({
  x: (scope === '' ? 0 : 32) + (index % 4) * (nodeWidth + 48),
  y: (scope === '' ? 0 : 64) + Math.floor(index / 4) * 150,
});

function edgesOf(document: WorkflowDocument, catalog: Catalog): GraphEdge[] {
  return walk(document).flatMap(({ path, scope, stage }) => [
    ...edgesInto(document, catalog, stage.inputs, scope, (port) => ({ stage: path, port })),
    ...(isGroup(stage)
      ? edgesInto(document, catalog, stage.outputs, path, (port) => ({ stage: path, port, inner: true }))
      : []),
  ]);
}

function edgesInto(
  document: WorkflowDocument,
  catalog: Catalog,
  sources: Record<string, Source> | undefined,
  scope: Path,
  target: (port: string) => Endpoint,
): GraphEdge[] {
  return Object.entries(sources ?? {}).flatMap(([port, source]) =>
    sourcesOf(source).flatMap((text, index, all): GraphEdge[] => {
      const from = endpointOf(document, scope, text);
      if (!from) return [];
      const to = target(port);
      const type = typeOf(document, scope, text, catalog);
      return [{ id: edgeId(from, to), from, to, type, choice: all.length > 1 ? index + 1 : 0 }];
    }),
  );
}

/** Where a source starts; undefined where the stage does not exist, or it is an input of the whole workflow. */
export function endpointOf(document: WorkflowDocument, scope: Path, text: string): Endpoint | undefined {
  const name = parseSource(text);
  if (!name) return undefined;
  if (name.stage === groupInputs) return scope === '' ? undefined : { stage: scope, port: name.port, inner: true };
  const stage = resolve(document, scope, name.stage);
  return stage === undefined ? undefined : { stage, port: name.port };
}

const mark = (end: Endpoint): string => `${end.stage}${end.inner ? ':' : '.'}${end.port}`;
const edgeId = (from: Endpoint, to: Endpoint): string => `${mark(from)}>${mark(to)}`;

/** The name of a handle: which side of which port. */
export const handleId = (side: 'in' | 'out', end: Pick<Endpoint, 'port' | 'inner'>): string =>
  `${side}${end.inner ? ':inner' : ''}:${end.port}`;

export function endpointOfHandle(path: Path, handle: string): Endpoint {
  const [, inner, port] = /^(?:in|out)(:inner)?:(.*)$/.exec(handle)!;
  return inner ? { stage: path, port: port!, inner: true } : { stage: path, port: port! };
}

/** Where a stage is drawn, in the coordinates of the whole canvas. */
export function absolutePosition(nodes: Pick<GraphNode, 'path' | 'parent' | 'position'>[], path: Path): Position {
  const byPath = new Map(nodes.map((node) => [node.path, node]));
  let [x, y] = [0, 0];
  for (let node = byPath.get(path); node; node = node.parent === undefined ? undefined : byPath.get(node.parent)) {
    x += node.position.x;
    y += node.position.y;
  }
  return { x, y };
}
