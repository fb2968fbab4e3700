/** Artifacts among the outputs of a run: whatever has a hash. */
import type { RunView } from '../api';

export interface ArtifactName {
  hash: string;
  /** `export`, or `prune.model` for what is an output of a stage only. */
  name: string;
  bytes?: number;
}

const isHash = (text: unknown): text is string => typeof text === 'string' && /^(sha256:)?[0-9a-f]{64}$/.test(text);

export function artifactsIn(value: unknown, name: string): ArtifactName[] {
  if (isHash(value)) return [{ hash: value, name }];
  if (Array.isArray(value)) return value.flatMap((one, index) => artifactsIn(one, `${name} ${index + 1}`));
  if (value === null || typeof value !== 'object') return [];
  const members = value as Record<string, unknown>;
  if (isHash(members['hash']))
    return [
      { hash: members['hash'], name, ...(typeof members['bytes'] === 'number' ? { bytes: members['bytes'] } : {}) },
    ];
  return Object.entries(members).flatMap(([key, one]) => artifactsIn(one, key === 'value' ? name : `${name}.${key}`));
}

/** Those of a run, its results before what lies on the way; each once. */
export function artifactsOf(run: Pick<RunView, 'outputs' | 'stages'>): ArtifactName[] {
  const all = [
    ...Object.entries(run.outputs).flatMap(([name, value]) => artifactsIn(value, name)),
    ...run.stages.flatMap((stage) =>
      Object.entries(stage.outputs ?? {}).flatMap(([name, value]) => artifactsIn(value, `${stage.id}.${name}`)),
    ),
  ];
  const known = new Set<string>();
  return all.filter(({ hash }) => !known.has(hash) && known.add(hash));
}
