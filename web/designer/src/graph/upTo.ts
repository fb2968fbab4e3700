/** The part of a workflow that a stage needs: itself and all that feeds it. */
import { dependencies, lift } from './connect';
import type { Path, Source, WorkflowDocument } from './document';
import { parseSource, sourcesOf } from './references';

/** A stage inside of a group stands for the group: a group runs as a whole. */
export function documentUpTo(document: WorkflowDocument, path: Path): WorkflowDocument {
  const target = lift(path, '') ?? path;
  const feeders = new Map<Path, Path[]>();
  for (const [from, consumers] of dependencies(document))
    for (const to of consumers) feeders.set(to, [...(feeders.get(to) ?? []), from]);
  const needed = new Set([target]);
  for (const at of needed) for (const from of feeders.get(at) ?? []) needed.add(from);

  const isKept = (text: string) => needed.has(parseSource(text)?.stage ?? '');
  const outputs: Record<string, Source> = {};
  for (const [name, source] of Object.entries(document.outputs ?? {}))
    if (sourcesOf(source).every(isKept)) outputs[name] = source;
  const { outputs: _, ...rest } = document;
  return {
    ...rest,
    stages: document.stages.filter((stage) => needed.has(stage.id)),
    ...(Object.keys(outputs).length > 0 ? { outputs } : {}),
  };
}
