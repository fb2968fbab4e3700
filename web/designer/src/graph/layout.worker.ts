/** Lays a graph out away from the page, which stays usable meanwhile. */
import type { Catalog, WorkflowDocument } from './document';
import { autoLayout, placeMissing } from './layout';

export interface LayoutTask {
  what: 'all' | 'missing';
  document: WorkflowDocument;
  catalog: Catalog;
}

self.onmessage = ({ data: { what, document, catalog } }: MessageEvent<LayoutTask>) =>
  self.postMessage(what === 'all' ? autoLayout(document, catalog) : placeMissing(document, catalog));
