/** Workflows that came from Elsa: what has no meaning here stands as a placeholder, and goes back as it came. */
import type { Stage } from './document';

/** Whether what was read is Elsa's: its graph is an activity called root. */
export const isElsa = (read: unknown): boolean => {
  if (read === null || typeof read !== 'object' || 'stages' in read) return false;
  const { root } = read as { root?: unknown };
  return root !== null && typeof root === 'object' && typeof (root as { type?: unknown }).type === 'string';
};

export const isPlaceholder = ({ kind }: Pick<Stage, 'kind'>): boolean => kind?.startsWith('elsa.') === true;

/** Said as the server says it. */
export const placeholderFault = (kind: string): string =>
  `'${kind}' is Elsa's: it is kept, and cannot be run here; put a stage of a kind that is ours in its place`;
