/** What a run would reuse, before it is started. */
import type { StagePreview } from '../api';

export interface Counts {
  computed: number;
  reused: number;
  /** Depends on what is computed first. */
  open: number;
}

/** What cannot be said yet counts as to be computed: nobody should wait longer than was promised. */
export function countsOf(stages: StagePreview[]): Counts {
  const reused = stages.filter((stage) => stage.reused === true).length;
  const open = stages.filter((stage) => stage.reused === null).length;
  return { computed: stages.length - reused, reused, open };
}

export const wordOf = ({ reused }: Pick<StagePreview, 'reused'>): string =>
  reused === null ? 'not known yet' : reused ? 'reused' : 'computed';
