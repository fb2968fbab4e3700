/** What changes often about a node without its document changing. Each node subscribes to its own part only. */
import { createContext, useContext } from 'react';
import { createStore, useStore, type StoreApi } from 'zustand';
import type { StageState } from '../api';
import type { Fault } from '../graph/checks';
import type { Note, Path } from '../graph/document';

export interface NodeStatus {
  state: StageState;
  reused: boolean;
  /** From 0 to 1; undefined where it is not known. */
  progress?: number;
  text?: string;
  seconds?: number;
  worker?: string;
  device?: string;
  error?: string;
  attempt: number;
  /** Of a stage that runs several times: how many there are and how many are done. */
  count: number;
  done: number;
  /** What is counted. */
  unit: 'stages' | 'branches' | 'rounds';
}

interface CanvasState {
  readOnly: boolean;
  statuses: Record<Path, NodeStatus>;
  faults: Record<Path, Fault[]>;
  /** Handles that the connection being drawn may end at, by `path|handle`; undefined while none is drawn. */
  fitting?: ReadonlySet<string>;
  /** Draws a group as one box, or opens it. */
  onCollapse?: (path: Path, collapsed: boolean) => void;
  /** Changes a note; without it notes are only read. */
  onNote?: (index: number, change: Partial<Note>) => void;
}

export const createCanvasStore = (readOnly: boolean): StoreApi<CanvasState> =>
  createStore<CanvasState>(() => ({ readOnly, statuses: {}, faults: {} }));

export const CanvasContext = createContext<StoreApi<CanvasState> | undefined>(undefined);

export function useCanvas<T>(select: (state: CanvasState) => T): T {
  const store = useContext(CanvasContext);
  if (!store) throw new Error('a node is drawn outside of a canvas');
  return useStore(store, select);
}

const none: Fault[] = [];
export const useFaults = (path: Path): Fault[] => useCanvas((state) => state.faults[path] ?? none);
export const useStatus = (path: Path): NodeStatus | undefined => useCanvas((state) => state.statuses[path]);
