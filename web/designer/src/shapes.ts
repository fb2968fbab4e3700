/** Answers of the server in the form that the pages use. */
import type { ArtifactInfo, ComparedRun, Lineage, StagePreview } from './api';

export type PreviewAnswer = { stages: StagePreview[] } | StagePreview[];
export const previewOf = (answer: PreviewAnswer): { stages: StagePreview[] } =>
  Array.isArray(answer) ? { stages: answer } : answer;

export type ArtifactAnswer = Omit<ArtifactInfo, 'bytes'> & { bytes?: number; size?: number };
export const artifactOf = ({ size, bytes = size ?? 0, ...rest }: ArtifactAnswer): ArtifactInfo => ({ ...rest, bytes });

type ComparedAnswer = ComparedRun & { finished?: string | null };
export type CompareAnswer = { runs: ComparedAnswer[] } | ComparedAnswer[];

/** A run whose time is not stated took from its beginning to its end. */
export const comparedOf = (answer: CompareAnswer): { runs: ComparedRun[] } => ({
  runs: (Array.isArray(answer) ? answer : answer.runs).map(({ finished, ...run }) => ({
    ...run,
    seconds: run.seconds ?? (finished ? (Date.parse(finished) - Date.parse(run.created)) / 1000 : null),
  })),
});

interface Listed {
  artifacts: { hash: string; here: boolean }[];
  stages: { id: string; run: string; stage: string; kind: string }[];
  edges: { from: string; to: string }[];
}
export type LineageAnswer = Lineage | Listed;

/** An artifact has no name of its own: it is called by its hash. */
export function lineageOf(answer: LineageAnswer): Lineage {
  if ('nodes' in answer) return answer;
  return {
    nodes: [
      ...answer.artifacts.map(({ hash, here }) => ({
        id: hash,
        kind: 'artifact' as const,
        label: `${hash.replace(/^sha256:/, '').slice(0, 10)}${here ? '' : ' (collected)'}`,
        hash,
      })),
      ...answer.stages.map(({ id, run, stage }) => ({ id, kind: 'stage' as const, label: stage, run, stage })),
    ],
    edges: answer.edges,
  };
}
