import { useState, type FormEvent } from 'react';
import { api } from '../api';
import { Row } from '../designer/FieldRow';

/** Asks for a token. The server keeps it in a cookie that no script can read; here it is forgotten at once. */
export function LoginPage({ onLogin }: { onLogin: () => void }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);

  const login = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.login(token.trim());
      onLogin();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : `${failure}`);
      setBusy(false);
    }
  };
  return (
    <main className="page">
      <h1>Who are you?</h1>
      <p>This server wants a token. Whoever runs it makes one with: pipelines token add NAME --role operator</p>
      <form onSubmit={(event) => void login(event)}>
        <Row label="Token" error={error}>
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              aria-invalid={error !== undefined}
              type="password"
              autoComplete="current-password"
              autoFocus
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Row>
        <button type="submit" className="primary" disabled={busy || token.trim() === ''}>
          Log in
        </button>
      </form>
    </main>
  );
}
