/** The state of the designer: one document, its history, what is chosen, and how it stands with the server. */
import type { ReactFlowInstance } from '@xyflow/react';
import { create } from 'zustand';
import type { Definition, ImportWarning, Version } from '../api';
import { createCanvasStore } from '../canvas/canvasStore';
import type { FlowEdge, FlowNode } from '../canvas/flow';
import { emptyDocument, findStage, type Catalog, type Path, type WorkflowDocument } from '../graph/document';
import type { Fault } from '../graph/checks';
import { setCollapsed } from '../graph/collapse';
import { changeNote } from '../graph/notes';
import { begin, record, redo, undo, type History } from '../graph/history';
import { placeMissing } from '../graph/layout';
import { innerDocument, withInner } from '../graph/nested';
import type { PickerItem } from '../parts/Picker';

export interface Saving {
  /** `held`: who may not save goes on by themselves. */
  state: 'saved' | 'waiting' | 'saving' | 'conflict' | 'failed' | 'held';
  revision: number;
  /** What the server has. */
  saved: WorkflowDocument;
  published: number | null;
  /** The document that was published last, where it is known. */
  publishedDocument?: WorkflowDocument;
  versions: Version[];
  message?: string;
  theirs?: { definition: WorkflowDocument; revision: number };
}

export interface Screen {
  x: number;
  y: number;
}

type Overlay =
  | { kind: 'picker'; title: string; items: PickerItem[]; at?: Screen }
  | { kind: 'menu'; at: Screen }
  | { kind: 'warnings'; warnings: ImportWarning[] }
  | { kind: 'versions' | 'publish' | 'keys' | 'copy' }
  /** Up to a stage: only what it needs. */
  | { kind: 'run'; upTo?: Path };

interface EditorState {
  name: string;
  catalog: Catalog;
  history: History<WorkflowDocument>;
  /** The workflows opened inside of each other; empty for the document itself. */
  way: Path[];
  selection: ReadonlySet<Path>;
  edges: ReadonlySet<string>;
  /** The note that is chosen, by its place. */
  note?: number;
  serverFaults: Fault[];
  saving: Saving;
  overlay?: Overlay;
  notice?: string;
  panels: { palette: boolean; inspector: boolean };
  flow?: ReactFlowInstance<FlowNode, FlowEdge>;
}

const nothing: ReadonlySet<string> = new Set();

export const canvasStore = createCanvasStore(false);
canvasStore.setState({
  onCollapse: (path, collapsed) => change((document) => setCollapsed(document, path, collapsed)),
  onNote: (index, edit) => change((document) => changeNote(document, index, edit)),
});

export const useEditor = create<EditorState>(() => ({
  name: '',
  catalog: new Map(),
  history: begin(emptyDocument('')),
  way: [],
  selection: nothing,
  edges: nothing,
  serverFaults: [],
  saving: { state: 'saved', revision: 0, saved: emptyDocument(''), published: null, versions: [] },
  panels: { palette: window.innerWidth >= 1440, inspector: window.innerWidth > 720 },
}));

const { getState: get, setState: set } = useEditor;

/** The document that is drawn: the one opened last. */
export const documentOf = ({ history, way }: Pick<EditorState, 'history' | 'way'>): WorkflowDocument =>
  innerDocument(history.present, way) ?? history.present;
export const currentDocument = (): WorkflowDocument => documentOf(get());
export const useDocument = (): WorkflowDocument => useEditor(documentOf);

export function load(definition: Definition, catalog: Catalog): void {
  const placed = placeMissing(definition.definition, catalog);
  set({
    name: definition.name,
    catalog,
    history: begin(placed),
    way: [],
    selection: nothing,
    edges: nothing,
    serverFaults: [],
    overlay: undefined,
    notice: undefined,
    // Who has nothing yet wants the list; who has a graph wants to see it.
    panels: {
      ...get().panels,
      palette: window.innerWidth >= 1440 || (placed.stages.length === 0 && window.innerWidth > 720),
    },
    saving: {
      state: 'saved',
      revision: definition.revision,
      saved: placed,
      published: definition.published,
      versions: definition.versions,
    },
  });
}

/** Changes the document in one step that can be undone. Steps about the same subject in quick succession are one. */
export function change(edit: (document: WorkflowDocument) => WorkflowDocument, subject?: string): void {
  const { history, way } = get();
  const inner = innerDocument(history.present, way);
  if (!inner) return;
  const edited = edit(inner);
  if (edited === inner) return;
  set({ history: record(history, withInner(history.present, way, edited), subject) });
  forgetMissing();
}

export function replaceDocument(document: WorkflowDocument): void {
  const { history, catalog, name } = get();
  set({ history: record(history, placeMissing({ ...document, name }, catalog)), way: [] });
  forgetMissing();
}

export function stepBack(): void {
  set(({ history }) => ({ history: undo(history) }));
  forgetMissing();
}

export function stepForward(): void {
  set(({ history }) => ({ history: redo(history) }));
  forgetMissing();
}

// What is chosen or opened may be gone after a step.
function forgetMissing(): void {
  const { history, way, selection, note } = get();
  if (!innerDocument(history.present, way)) set({ way: [], selection: nothing, edges: nothing });
  const document = currentDocument();
  const left = [...selection].filter((path) => findStage(document, path));
  if (left.length < selection.size) set({ selection: new Set(left) });
  if (note !== undefined && !document.notes?.[note]) set({ note: undefined });
}

export const select = (paths: Iterable<Path>, edges: Iterable<string> = []): void =>
  set({ selection: new Set(paths), edges: new Set(edges), note: undefined });

export function chooseNote(note: number | undefined): void {
  if (note === undefined) set({ note });
  else set({ note, selection: nothing, edges: nothing });
}

export const show = (overlay: Overlay | undefined): void => set({ overlay });
export const pick = (title: string, items: PickerItem[], at?: Screen): void =>
  show({ kind: 'picker', title, items, at });

let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Says something for a few seconds. */
export function notify(notice: string): void {
  clearTimeout(noticeTimer);
  set({ notice });
  noticeTimer = setTimeout(() => set({ notice: undefined }), 6000);
}

export const setSaving = (saving: Partial<Saving>): void =>
  set((state) => ({ saving: { ...state.saving, ...saving } }));
export const togglePanel = (panel: keyof EditorState['panels'], open?: boolean): void =>
  set(({ panels }) => ({ panels: { ...panels, [panel]: open ?? !panels[panel] } }));

export function openWorkflow(path: Path): void {
  const { way, catalog, history } = get();
  const inner = innerDocument(history.present, [...way, path]);
  if (!inner) return;
  set({ way: [...way, path], selection: nothing, edges: nothing });
  const placed = placeMissing(inner, catalog);
  if (placed !== inner) set({ history: { ...history, present: withInner(history.present, get().way, placed) } });
  setTimeout(() => void get().flow?.fitView({ padding: 0.15, maxZoom: 1 }), 50);
}

export function closeTo(depth: number): void {
  set(({ way }) => ({ way: way.slice(0, depth), selection: nothing, edges: nothing }));
  setTimeout(() => void get().flow?.fitView({ padding: 0.15, maxZoom: 1 }), 50);
}
