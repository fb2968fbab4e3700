/** What the user can do, said in terms of the graph's functions; palette, menu, keys and command bar all end here. */
import { copyStages, duplicateStages, parseClip, pasteStages } from '../graph/clipboard';
import { disconnect, sourceText } from '../graph/connect';
import {
  findStage,
  isGroup,
  parentOf,
  walk,
  type Path,
  type Position,
  type Stage,
  type WorkflowDocument,
} from '../graph/document';
import { addStage, idForKind, moveStages, outermost, removeStages } from '../graph/edit';
import { absolutePosition, toGraph, type GraphNode } from '../graph/graph';
import { groupFault, groupStages, ungroupFault, ungroupStages } from '../graph/groups';
import { collapsible, hiddenBy, isCollapsed, setCollapsed, uncover } from '../graph/collapse';
import { align, distribute, freePlace, type Alignment } from '../graph/layout';
import { layoutAside } from '../graph/layoutAside';
import { addNote, noteSize, removeNote } from '../graph/notes';
import { moveInto, moveOut, type Moved } from '../graph/membership';
import { neighbour, type Direction } from '../graph/navigate';
import { change, chooseNote, currentDocument, notify, openWorkflow, select, show, useEditor } from './store';

const get = useEditor.getState;

export const graphNow = () => toGraph(currentDocument(), get().catalog);
export const selected = (): Path[] => [...get().selection];
export const boxes = (paths: Path[]): GraphNode[] => graphNow().nodes.filter((node) => paths.includes(node.path));

/** Where something new goes: beside the chosen stage, else in the middle of what is seen. */
function placeForNew(): { scope: Path; at: Position } {
  const { selection, flow } = get();
  const [chosen] = selection.size === 1 ? [...selection] : [];
  const node = chosen === undefined ? undefined : boxes([chosen])[0];
  if (node && node.stage.stages) return { scope: node.path, at: { x: 40, y: 70 + 150 * node.stage.stages.length } };
  if (node)
    return {
      scope: node.parent ?? '',
      at: free({ x: node.position.x + node.size.width + 72, y: node.position.y }, node.parent),
    };
  const pane = window.document.querySelector('.react-flow')?.getBoundingClientRect();
  const centre =
    pane && flow?.screenToFlowPosition({ x: pane.left + pane.width / 2 - 108, y: pane.top + pane.height / 2 - 50 });
  return { scope: '', at: free(centre ?? { x: 0, y: 0 }) };
}

// Not on top of another stage.
export function free(at: Position, parent?: Path): Position {
  const taken = graphNow().nodes.filter((node) => node.parent === parent);
  let place = { x: Math.round(at.x / 12) * 12, y: Math.round(at.y / 12) * 12 };
  while (taken.some((node) => Math.abs(node.position.x - place.x) < 60 && Math.abs(node.position.y - place.y) < 60))
    place = { x: place.x, y: place.y + 132 };
  return place;
}

export const groupKind = '(group)';
export const workflowKind = '(workflow)';
export const stageOf = (kind: string): Stage =>
  kind === groupKind
    ? { id: 'group', stages: [] }
    : kind === workflowKind
      ? { id: 'workflow', workflow: { name: 'inner', stages: [] } }
      : { id: idForKind(kind), kind };

export function add(kind: string, at?: Position): Path {
  const place = at ? scopeAt(at) : placeForNew();
  let path = '';
  change((document) => {
    const added = addStage(document, place.scope, stageOf(kind), place.at);
    path = added.path;
    return added.document;
  });
  select([path]);
  if (!at) setTimeout(() => reveal(path), 30);
  return path;
}

// A place on the canvas inside of a group belongs to the group.
function scopeAt(at: Position): { scope: Path; at: Position } {
  const { nodes } = graphNow();
  const around = nodes.filter((node) => {
    const corner = absolutePosition(nodes, node.path);
    return (
      isGroup(node.stage) &&
      at.x > corner.x &&
      at.y > corner.y &&
      at.x < corner.x + node.size.width &&
      at.y < corner.y + node.size.height
    );
  });
  const scope = around.at(-1)?.path ?? '';
  const corner = scope === '' ? { x: 0, y: 0 } : absolutePosition(nodes, scope);
  return { scope, at: { x: at.x - corner.x, y: at.y - corner.y } };
}

export function reveal(path: Path): void {
  change((document) => uncover(document, path));
  const { nodes } = graphNow();
  const node = nodes.find((one) => one.path === path);
  const { flow } = get();
  if (!node || !flow) return;
  const at = absolutePosition(nodes, path);
  const screen = flow.flowToScreenPosition({ x: at.x + node.size.width / 2, y: at.y + node.size.height / 2 });
  const pane = window.document.querySelector('.react-flow')!.getBoundingClientRect();
  const inside =
    screen.x > pane.left + 60 && screen.x < pane.right - 60 && screen.y > pane.top + 60 && screen.y < pane.bottom - 60;
  if (!inside)
    void flow.setCenter(at.x + node.size.width / 2, at.y + node.size.height / 2, {
      zoom: flow.getZoom(),
      duration: 200,
    });
}

export function remove(): void {
  const { selection, edges, note } = get();
  if (note !== undefined) {
    change((document) => removeNote(document, note));
    return select([]);
  }
  const lines = graphNow().edges.filter((edge) => edges.has(edge.id) && !edge.lifted);
  change((document) => {
    const without = lines.reduce((now, edge) => disconnect(now, edge.to, sourceText(edge.from)), document);
    return selection.size > 0 ? removeStages(without, outermost(selection)) : without;
  });
  select([]);
}

export async function copy(): Promise<void> {
  if (get().selection.size === 0) return;
  const text = JSON.stringify(copyStages(currentDocument(), get().selection), null, 2);
  sessionStorage.setItem('pipelines.clip', text);
  await navigator.clipboard?.writeText(text).catch(() => undefined);
  notify(`${get().selection.size} copied`);
}

export async function cut(): Promise<void> {
  await copy();
  remove();
}

export async function paste(): Promise<void> {
  const outside = await navigator.clipboard?.readText().catch(() => undefined);
  const clip = parseClip(outside ?? '') ?? parseClip(sessionStorage.getItem('pipelines.clip') ?? '');
  if (!clip) return notify('Nothing to paste: copy stages first');
  const [chosen] = get().selection.size === 1 ? selected() : [];
  const stage = chosen === undefined ? undefined : findStage(currentDocument(), chosen);
  const scope =
    chosen === undefined
      ? ''
      : stage && isGroup(stage) && !clip.stages.some((one) => one.id === stage.id)
        ? chosen
        : parentOf(chosen);
  let paths: Path[] = [];
  change((document) => {
    const pasted = pasteStages(document, scope, clip, { x: 40, y: 60 });
    paths = pasted.paths;
    return pasted.document;
  });
  select(paths);
}

export function duplicate(): void {
  if (get().selection.size === 0) return;
  let paths: Path[] = [];
  change((document) => {
    const copied = duplicateStages(document, get().selection);
    paths = copied.paths;
    return copied.document;
  });
  select(paths);
}

export const selectAll = (): void => select(walk(currentDocument()).map(({ path }) => path));

export function group(): void {
  const fault = groupFault(currentDocument(), get().selection);
  if (fault) return notify(`These stages cannot be a group: ${fault}`);
  let path = '';
  change((document) => {
    const grouped = groupStages(document, get().selection);
    path = grouped.path;
    return grouped.document;
  });
  select([path]);
}

export function ungroup(): void {
  const [path] = selected();
  if (path === undefined) return;
  const fault = ungroupFault(currentDocument(), path);
  if (fault) return notify(fault);
  let paths: Path[] = [];
  change((document) => {
    const freed = ungroupStages(document, path);
    paths = freed.paths;
    return freed.document;
  });
  select(paths);
}

export function takeOut(): void {
  const [path] = selected();
  if (path === undefined) return;
  const moved = moveOut(currentDocument(), path);
  finishMove('fault' in moved ? moved : { ...moved, document: placedFree(moved.document, moved.path) });
}

// Below what stands where it was put, rather than on it.
function placedFree(document: WorkflowDocument, path: Path): WorkflowDocument {
  const { nodes } = toGraph(document, get().catalog, true);
  const node = nodes.find((one) => one.path === path)!;
  const beside = nodes.filter((one) => one !== node && one.parent === node.parent);
  return moveStages(document, { [path]: freePlace(beside, node.position, node.size) });
}

/** A note in the middle of what is seen, ready to be written. */
export function addNoteHere(): void {
  const { flow } = get();
  const pane = window.document.querySelector('.react-flow')?.getBoundingClientRect();
  const centre = pane && flow?.screenToFlowPosition({ x: pane.left + pane.width / 2, y: pane.top + pane.height / 2 });
  const { x, y } = freePlace(
    graphNow().nodes.filter((node) => node.parent === undefined),
    { x: (centre?.x ?? 0) - noteSize.width / 2, y: (centre?.y ?? 0) - noteSize.height / 2 },
    noteSize,
  );
  change((document) => addNote(document, { text: '', x, y, ...noteSize }));
  chooseNote(currentDocument().notes!.length - 1);
}

/** Draws the chosen groups as one box each, or opens them; with nothing chosen all groups. */
export function fold(): void {
  const document = currentDocument();
  const groups = collapsible(document);
  const chosen = selected().filter((path) => groups.includes(path));
  const paths = chosen.length > 0 ? chosen : groups;
  if (paths.length === 0) return notify('There is no group here');
  const collapsed = paths.some((path) => !isCollapsed(document, path));
  change((now) => paths.reduce((one, path) => setCollapsed(one, path, collapsed), now));
  select([...get().selection].filter((path) => hiddenBy(currentDocument(), path) === undefined));
}

export function runToHere(): void {
  const [path] = selected();
  if (path === undefined) return;
  if (get().way.length > 0) return notify('Run the whole workflow: a workflow inside of another one runs with it');
  show({ kind: 'run', upTo: path });
}

/** After a drag: a stage that was dropped onto a group beside it goes in. */
export function dropInto(path: Path, at: Position): boolean {
  const { nodes } = graphNow();
  const size = nodes.find((node) => node.path === path)!.size;
  const scope = parentOf(path);
  const centre = { x: at.x + size.width / 2, y: at.y + size.height / 2 };
  const group = nodes.find(
    (node) =>
      isGroup(node.stage) &&
      node.path !== path &&
      (node.parent ?? '') === scope &&
      centre.x > node.position.x &&
      centre.y > node.position.y &&
      centre.x < node.position.x + node.size.width &&
      centre.y < node.position.y + node.size.height,
  );
  if (!group) return false;
  const corner = group.position;
  finishMove(
    moveInto(currentDocument(), path, group.path, {
      x: Math.max(16, at.x - corner.x),
      y: Math.max(48, at.y - corner.y),
    }),
  );
  return true;
}

function finishMove(moved: Moved): void {
  if ('fault' in moved) return notify(`It stays where it is: ${moved.fault}`);
  change(() => moved.document);
  select([moved.path]);
}

// Only stages of one scope stand in the same coordinates.
const together = (): GraphNode[] => {
  const nodes = boxes(outermost(get().selection));
  return nodes.filter((node) => node.parent === nodes[0]?.parent);
};
export const alignChosen = (to: Alignment): void => change((document) => moveStages(document, align(together(), to)));
export const distributeChosen = (axis: 'x' | 'y'): void =>
  change((document) => moveStages(document, distribute(together(), axis)));

export async function tidy(): Promise<void> {
  const before = currentDocument();
  const laidOut = await layoutAside('all', before, get().catalog);
  // Who went on meanwhile keeps what they did.
  if (currentDocument() !== before) return notify('The workflow was changed while it was laid out: tidy up again');
  change(() => laidOut);
  setTimeout(fit, 60);
}

export const fit = (): void => void get().flow?.fitView({ padding: 0.12, maxZoom: 1, duration: 200 });

export function walkTo(direction: Direction): void {
  const { nodes } = graphNow();
  const [from] = selected();
  const to = from === undefined ? nodes[0]?.path : neighbour(currentDocument(), nodes, from, direction);
  if (to === undefined) return;
  select([to]);
  reveal(to);
}

export function nudge(direction: Direction, step: number): void {
  const shift = { left: [-step, 0], right: [step, 0], up: [0, -step], down: [0, step] }[direction] as [number, number];
  change(
    (document) =>
      moveStages(
        document,
        Object.fromEntries(
          boxes(outermost(get().selection)).map((node) => [
            node.path,
            { x: node.position.x + shift[0], y: node.position.y + shift[1] },
          ]),
        ),
      ),
    'nudge',
  );
}

export function openChosen(): void {
  const [path] = selected();
  const stage = path === undefined ? undefined : findStage(currentDocument(), path);
  if (path !== undefined && typeof stage?.workflow === 'object') openWorkflow(path);
}
