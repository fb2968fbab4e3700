/** What a run would reuse, before it is started. */
import type { StagePreview } from '../api';

interface Counts {
  computed: number;
  reused: number;
  /** Depends on what is computed first. */
  open: number;
}

/** What cannot be said yet counts as to be computed: nobody should wait longer than was promised. */
export function countsOf(stages: StagePreview[]): Counts {
  const reused = stages.filter((stage) => stage.reused === true).length;
  const skipped = stages.filter((stage) => stage.skipped).length;
  const open = stages.filter((stage) => stage.reused === null && !stage.skipped).length;
  return { computed: stages.length - reused - skipped, reused, open };
}

export const wordOf = ({ reused, skipped }: Pick<StagePreview, 'reused' | 'skipped'>): string =>
  skipped ? 'skipped' : reused === null ? 'not known yet' : reused ? 'reused' : 'computed';
