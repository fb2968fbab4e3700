import { useState } from 'react';
import { api } from '../api';
import { useReach } from '../hooks/reach';
import { useTicking } from '../hooks/useTicking';
import { Dialog } from './Dialog';

/** Over every page: that the server is away, until it is back; and where it wants a token, the box for it. */
export function Banner() {
  const reach = useReach();
  const retry = () => void api.session().catch(() => undefined);
  useTicking(retry, 3000, reach === 'away');
  if (reach === 'away')
    return (
      <div className="banner" role="alert">
        The server does not answer. What is shown may be old; it is asked again every few seconds.{' '}
        <button type="button" className="small" onClick={retry}>
          Try now
        </button>
      </div>
    );
  return reach === 'locked' ? <SignIn /> : null;
}

function SignIn() {
  const [token, setToken] = useState('');
  const [fault, setFault] = useState<string>();
  return (
    <Dialog
      title="Sign in"
      actions={
        <>
          <span className="space" />
          <button type="submit" form="sign-in" className="primary" disabled={token.trim() === ''}>
            Sign in
          </button>
        </>
      }
    >
      <form
        id="sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          api.login(token.trim()).catch((failure: Error) => setFault(failure.message));
        }}
      >
        <p>This server wants a token. Whoever runs it makes one.</p>
        <div className="row">
          <label htmlFor="sign-in-token">Token</label>
          <input
            id="sign-in-token"
            type="password"
            autoComplete="current-password"
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </div>
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
      </form>
    </Dialog>
  );
}
