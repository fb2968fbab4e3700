import { useRef, useState } from 'react';
import { api, type Role } from '../api';
import { Row } from '../designer/FieldRow';
import { Dialog } from '../parts/Dialog';
import { lifetimes, nameFault, roles } from './tokens';

/** Makes a token, and shows it the one time that it can be seen. */
export function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<{ name: string; token: string }>();
  return made ? <Secret {...made} onClose={onClose} /> : <Form onClose={onClose} onMade={setMade} />;
}

interface FormProps {
  onClose: () => void;
  onMade: (made: { name: string; token: string }) => void;
}

function Form({ onClose, onMade }: FormProps) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [expires, setExpires] = useState<string>('90d');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const fault = nameFault(name);
  const ready = name !== '' && !fault && !busy;
  const add = async () => {
    setBusy(true);
    try {
      onMade(await api.addToken(name, role, expires || undefined));
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : `${failure}`);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="New token"
      onClose={onClose}
      actions={
        <>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" form="token" className="primary" disabled={!ready}>
            Make the token
          </button>
        </>
      }
    >
      <form
        id="token"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void add();
        }}
      >
        <Row label="Name" hint="Who or what shows it; the audit log calls them so" error={fault ?? error}>
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              autoComplete="off"
              value={name}
              onChange={(event) => {
                setError(undefined);
                setName(event.target.value);
              }}
            />
          )}
        </Row>
        <fieldset>
          <legend>Role</legend>
          {roles.map(([one, words]) => (
            <label key={one} className="check">
              <input type="radio" name="role" checked={role === one} onChange={() => setRole(one)} />
              <span>
                <strong>{one}</strong> <span className="hint">may {words}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Row label="Expires">
          {(id) => (
            <select id={id} value={expires} onChange={(event) => setExpires(event.target.value)}>
              {lifetimes.map(([duration, words]) => (
                <option key={duration} value={duration}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Row>
      </form>
    </Dialog>
  );
}

// Neither Escape nor a stray click takes away what cannot be seen again.
function Secret({ name, token, onClose }: { name: string; token: string; onClose: () => void }) {
  const box = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    box.current!.select();
    // The clipboard is there only over TLS and on this machine.
    const done = await (navigator.clipboard?.writeText(token).then(
      () => true,
      () => false,
    ) ?? false);
    setCopied(done || window.document.execCommand('copy'));
  };
  return (
    <Dialog
      title={`The token ${name}`}
      actions={
        <>
          <span className="hint" role="status">
            {copied && 'Copied'}
          </span>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Done
          </button>
          <button type="button" className="primary" onClick={() => void copy()}>
            Copy
          </button>
        </>
      }
    >
      <p>Keep it now: only its hash is stored, and it is not shown again.</p>
      <div className="row">
        <label htmlFor="secret">Token</label>
        <input
          id="secret"
          ref={box}
          className="secret"
          readOnly
          value={token}
          onFocus={(event) => event.target.select()}
        />
        <small>
          A browser logs in with it; a program shows it as <code>Authorization: Bearer</code>.
        </small>
      </div>
    </Dialog>
  );
}
