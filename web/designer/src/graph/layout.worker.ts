/** Lays a graph out away from the page, which stays usable meanwhile. */
import type { Catalog, WorkflowDocument } from './document';
import { autoLayout, placeMissing } from './layout';

export interface LayoutTask {
  /** Comes back with the answer. */
  turn: number;
  what: 'all' | 'missing';
  document: WorkflowDocument;
  catalog: Catalog;
}

export interface LayoutAnswer {
  turn: number;
  layout: WorkflowDocument['layout'];
}

self.onmessage = ({ data: { turn, what, document, catalog } }: MessageEvent<LayoutTask>) => {
  const { layout } = what === 'all' ? autoLayout(document, catalog) : placeMissing(document, catalog);
  self.postMessage({ turn, layout } satisfies LayoutAnswer);
};
