import { AuditLog } from './AuditLog';
import { Tokens } from './Tokens';
import { useRefusal, useSession } from './who';

/** Who may ask for what, and who did. */
export function AccessPage() {
  const session = useSession();
  const reason = useRefusal('admin');
  return (
    <main className="page" id="main" tabIndex={-1}>
      {reason !== undefined && (
        <>
          <h1>Access</h1>
          <p className="reason">{reason}.</p>
        </>
      )}
      {session && reason === undefined && (
        <>
          <Tokens own={session.name} />
          <AuditLog />
        </>
      )}
    </main>
  );
}
