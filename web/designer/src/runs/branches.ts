/** The branches of a matrix and the rounds of a repetition, as the ids of a run's stages tell them: `sweep.2.prune`. */
import type { StageView } from '../api';
import { isWithin, type Path } from '../graph/document';
import { written } from '../parts/format';

type Named = Pick<StageView, 'id' | 'variables'>;

const isNumber = (part: string): boolean => /^\d+$/.test(part);

/** The node that a stage of a run belongs to: branches and rounds have one together. */
export const nodeOf = (stage: string): Path =>
  stage
    .split('.')
    .filter((part) => !isNumber(part))
    .join('/');

/** The branch of a node that a stage stands in, `sweep.2`; undefined where the node has none. */
export function branchOf(stage: string, path: Path): string | undefined {
  const parts = stage.split('.');
  let depth = path.split('/').length;
  let end = 0;
  for (; end < parts.length && depth > 0; end++) if (!isNumber(parts[end]!)) depth--;
  const first = end;
  while (end < parts.length && isNumber(parts[end]!)) end++;
  return end > first && isWithin(nodeOf(stage), path) ? parts.slice(0, end).join('.') : undefined;
}

interface Branch {
  /** `sweep.2`: what the ids of its stages begin with. */
  id: string;
  label: string;
}

/** The branches of a node, in their order. */
export function branchesOf(stages: Named[], path: Path): Branch[] {
  const found = new Map<string, Named>();
  for (const stage of stages) {
    const id = branchOf(stage.id, path);
    if (id !== undefined && !found.has(id)) found.set(id, stage);
  }
  return [...found].map(([id, stage]) => {
    const number = id.split('.').filter(isNumber).join('.');
    const values = Object.entries(stage.variables ?? {})
      .filter(([name]) => name !== 'round' && name !== 'rounds')
      .map(([name, value]) => `${name} ${written(value)}`);
    return { id, label: values.length > 0 ? `${number}: ${values.join(', ')}` : number };
  });
}

/** Every node with branches, those outside before those inside of them. */
export function branchedNodes(stages: Named[]): Path[] {
  const found = new Set<Path>();
  for (const { id } of stages) {
    const parts = id.split('.');
    parts.forEach((part, index) => {
      if (isNumber(part)) found.add(nodeOf(parts.slice(0, index).join('.')));
    });
  }
  return [...found].sort((a, b) => a.split('/').length - b.split('/').length);
}

/** Which branch of a node is looked at; a node that is not named shows all of them. */
export type ChosenBranches = Readonly<Record<Path, string>>;

/** Whether a stage stands in none but chosen branches. */
export const isShown = (stage: string, chosen: ChosenBranches): boolean =>
  Object.entries(chosen).every(([path, id]) => {
    const branch = branchOf(stage, path);
    return branch === undefined || branch === id || !isWithin(nodeOf(stage), path);
  });

/** What the server calls exactly these stages together; undefined where it has no name for them. */
export function nameOf(all: Pick<StageView, 'id'>[], some: Pick<StageView, 'id'>[]): string | undefined {
  const [first] = some;
  if (!first) return undefined;
  const parts = first.id.split('.');
  for (let length = parts.length; length > 0; length--) {
    const prefix = parts.slice(0, length).join('.');
    const named = all.filter(({ id }) => id === prefix || id.startsWith(`${prefix}.`));
    if (named.length >= some.length)
      return named.length === some.length && some.every((one) => named.some(({ id }) => id === one.id))
        ? prefix
        : undefined;
  }
  return undefined;
}
