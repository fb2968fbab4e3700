/** Who asks, and what they may not do: said on the button rather than by a refusal after it. */
import { create } from 'zustand';
import { api, strangers, type Role, type Session } from '../api';

const order: Role[] = ['viewer', 'operator', 'admin'];

/** Why somebody may not do what needs a role; undefined when they may, or when it is not known who asks. */
export function refusal(session: Session | undefined, needs: Role): string | undefined {
  if (!session || order.indexOf(session.role) >= order.indexOf(needs)) return undefined;
  return `This needs the role ${needs}; yours is ${session.role}`;
}

const useAccess = create<{ session?: Session }>(() => ({}));

export const useSession = (): Session | undefined => useAccess((state) => state.session);
export const useRefusal = (needs: Role): string | undefined => useAccess(({ session }) => refusal(session, needs));
export const refused = (needs: Role): string | undefined => refusal(useAccess.getState().session, needs);

/** The server decides in any case: without an answer nothing is held back here. */
export const askWho = (): Promise<void> =>
  api.session().then(
    (session) => useAccess.setState({ session }),
    () => undefined,
  );

export async function logout(): Promise<void> {
  await api.logout();
  useAccess.setState({ session: undefined });
  // Without the cookie the server asks who it is, or knows them by their machine.
  await askWho();
}

strangers.addEventListener('login', () => useAccess.setState({ session: undefined }));
strangers.addEventListener('refused', () => void askWho());
