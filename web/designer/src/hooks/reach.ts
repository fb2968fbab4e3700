/** Whether the server is there. */
import { useSyncExternalStore } from 'react';

type Reach = 'there' | 'away';

let reach: Reach = 'there';
const watchers = new Set<() => void>();
const returns = new Set<() => void>();

/** What an answer, or the lack of one, said about the server. */
export function heard(now: Reach): void {
  if (now === reach) return;
  reach = now;
  watchers.forEach((watcher) => watcher());
  if (now === 'there') cameBack();
}

/** Everything that is shown may be old. */
export const cameBack = (): void => returns.forEach((listener) => listener());

const watch = (watcher: () => void): (() => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};
export const useReach = (): Reach => useSyncExternalStore(watch, () => reach);

export function onReturn(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}
