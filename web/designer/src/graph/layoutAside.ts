/** The layout of a large graph, in a worker; of a small one here, where it is done before a worker had begun. */
import { walk, type Catalog, type WorkflowDocument } from './document';
import { autoLayout, placeMissing } from './layout';
import type { LayoutAnswer, LayoutTask } from './layout.worker';

const large = 120;

// Kept: the next layout need not wait until a worker has begun.
let kept: Worker | undefined;
let turns = 0;

export async function layoutAside(
  what: LayoutTask['what'],
  document: WorkflowDocument,
  catalog: Catalog,
): Promise<WorkflowDocument> {
  const here = () => (what === 'all' ? autoLayout(document, catalog) : placeMissing(document, catalog));
  if (walk(document).length < large) return here();
  kept ??= new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
  try {
    // The stages stay the ones that they were, and are not drawn again.
    return { ...document, layout: await answer(kept, { turn: ++turns, what, document, catalog }) };
  } catch {
    kept?.terminate();
    kept = undefined;
    return here();
  }
}

function answer(worker: Worker, task: LayoutTask): Promise<WorkflowDocument['layout']> {
  const settled = new AbortController();
  return new Promise<WorkflowDocument['layout']>((done, fail) => {
    const { signal } = settled;
    worker.addEventListener(
      'message',
      ({ data }: MessageEvent<LayoutAnswer>) => data.turn === task.turn && done(data.layout),
      { signal },
    );
    worker.addEventListener('error', (event) => fail(new Error(event.message)), { signal });
    worker.postMessage(task);
  }).finally(() => settled.abort());
}
