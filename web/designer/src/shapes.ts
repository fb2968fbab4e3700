/** Answers of the server in the form that the pages draw. */
import type { ComparedRun, ComparedView, Lineage, LineageView } from './api';
import { shortHash } from './parts/format';

/** A run takes from its beginning to its end. */
export const comparedOf = ({ finished, ...run }: ComparedView): ComparedRun => ({
  ...run,
  seconds: finished ? (Date.parse(finished) - Date.parse(run.created)) / 1000 : null,
});

/** An artifact has no name of its own: it is called by its hash. */
export const lineageOf = ({ artifacts, stages, edges, truncated }: LineageView): Lineage => ({
  nodes: [
    ...artifacts.map(({ hash, here }) => ({
      id: hash,
      kind: 'artifact' as const,
      label: `${shortHash(hash)}${here ? '' : ' (collected)'}`,
      hash,
    })),
    ...stages.map(({ id, run, stage }) => ({ id, kind: 'stage' as const, label: stage, run, stage })),
  ],
  edges,
  truncated,
});
