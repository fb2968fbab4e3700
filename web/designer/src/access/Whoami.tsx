import { logout, useSession } from './who';

/** Who is logged in, and the way out; nothing for whoever needed no token. */
export function Whoami() {
  const session = useSession();
  if (!session?.name) return null;
  return (
    <span className="whoami">
      <span className="hint" title={`Logged in with the token ${session.name}, which has the role ${session.role}`}>
        {session.name} <span className="chip">{session.role}</span>
      </span>
      <button type="button" className="quiet small" onClick={() => void logout()}>
        Log out
      </button>
    </span>
  );
}
