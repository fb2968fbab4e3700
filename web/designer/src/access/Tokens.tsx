import { useState } from 'react';
import { api, type Token } from '../api';
import { useFetched } from '../hooks/useFetched';
import { Confirm } from '../parts/Confirm';
import { ago, until, when } from '../parts/format';
import { NewTokenDialog } from './NewTokenDialog';
import { ordered, standOf } from './tokens';

/** Every token that was given, and the ways to give and take one. */
export function Tokens({ own }: { own?: string }) {
  const { data, error, refresh } = useFetched(api.tokens, 'tokens');
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Token>();
  return (
    <>
      <header className="page-header">
        <h1>Access</h1>
        <button type="button" className="primary" onClick={() => setAdding(true)}>
          New token…
        </button>
      </header>
      {error && (
        <p className="fault" role="alert">
          {error}
        </p>
      )}
      {data?.length === 0 && (
        <p className="empty">No token was given yet. Who shows none is let in only where the server is open.</p>
      )}
      {data && data.length > 0 && <TokenTable tokens={ordered(data, Date.now())} onRevoke={setLeaving} />}
      {adding && (
        <NewTokenDialog
          onClose={() => {
            setAdding(false);
            refresh();
          }}
        />
      )}
      {leaving && (
        <Confirm
          title={`Revoke ${leaving.name}?`}
          word="Revoke"
          keep="Keep"
          danger
          onClose={() => setLeaving(undefined)}
          onYes={() => api.revokeToken(leaving.name).then(refresh)}
        >
          <p>
            Whoever shows it is refused at once, and it cannot be given back.
            {leaving.name === own && ' It is the one that you are logged in with.'}
          </p>
        </Confirm>
      )}
    </>
  );
}

function TokenTable({ tokens, onRevoke }: { tokens: Token[]; onRevoke: (token: Token) => void }) {
  return (
    <div className="table-wrap" role="region" aria-label="Tokens" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {['Token', 'Role', 'Created', 'Last used', 'Expires'].map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
            <th scope="col">
              <span className="unseen">Revoke</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => {
            const stand = standOf(token, Date.now());
            return (
              <tr key={`${token.name} ${token.created}`} className={stand === 'valid' ? '' : 'past'}>
                <th scope="row" className="long">
                  {token.name}
                </th>
                <td>{token.role}</td>
                <td title={when(token.created)}>{ago(token.created)}</td>
                <td title={token.used && when(token.used)}>{token.used ? ago(token.used) : 'never'}</td>
                <td title={token.expires && when(token.expires)}>
                  {stand === 'valid' ? (
                    token.expires ? (
                      until(token.expires)
                    ) : (
                      'never'
                    )
                  ) : (
                    <span className="chip">{stand}</span>
                  )}
                </td>
                <td className="end">
                  {stand !== 'revoked' && (
                    <button
                      type="button"
                      className="small danger"
                      aria-label={`Revoke ${token.name}`}
                      onClick={() => onRevoke(token)}
                    >
                      Revoke…
                    </button>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
