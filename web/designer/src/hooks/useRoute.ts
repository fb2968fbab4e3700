import { useSyncExternalStore } from 'react';

/** The parts of the address after the hash: `#/designer/quickstart` is ['designer', 'quickstart']. */
export function useRoute(): string[] {
  const hash = useHash();
  return hash.replace(/^#\/?/, '').replace(/\?.*$/, '').split('/').filter(Boolean).map(decoded);
}

/** What stands behind the question mark: `#/compare?ids=a,b`. */
export function useQuery(): URLSearchParams {
  const hash = useHash();
  return new URLSearchParams(/\?(.*)$/.exec(hash)?.[1] ?? '');
}

const useHash = (): string => useSyncExternalStore(subscribe, () => window.location.hash);

// An address may have been cut or typed by hand.
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}

export const linkTo = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;

export function go(...parts: string[]): void {
  window.location.hash = linkTo(...parts);
}
