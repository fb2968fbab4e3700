/** The layout of a large graph, in a worker; of a small one here, where it is done before a worker had begun. */
import { walk, type Catalog, type WorkflowDocument } from './document';
import { autoLayout, placeMissing } from './layout';
import type { LayoutTask } from './layout.worker';

const large = 120;

export async function layoutAside(
  what: LayoutTask['what'],
  document: WorkflowDocument,
  catalog: Catalog,
): Promise<WorkflowDocument> {
  const here = () => (what === 'all' ? autoLayout(document, catalog) : placeMissing(document, catalog));
  if (walk(document).length < large) return here();
  const worker = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
  try {
    return await new Promise<WorkflowDocument>((done, fail) => {
      worker.onmessage = ({ data }: MessageEvent<WorkflowDocument>) => done(data);
      worker.onerror = (event) => fail(new Error(event.message));
      worker.postMessage({ what, document, catalog } satisfies LayoutTask);
    });
  } catch {
    return here();
  } finally {
    worker.terminate();
  }
}
