import { useState, type ReactNode } from 'react';
import { Dialog } from './Dialog';

interface Props {
  title: string;
  /** What the button says that does it. */
  word: string;
  keep?: string;
  danger?: boolean;
  children: ReactNode;
  onClose: () => void;
  onYes: () => Promise<unknown>;
}

/** Asks before something is done that cannot be taken back; when it fails, says why and stays. */
export function Confirm({ title, word, keep = 'Not now', danger, children, onClose, onYes }: Props) {
  const [fault, setFault] = useState<string>();
  const [busy, setBusy] = useState(false);
  const yes = async () => {
    setBusy(true);
    try {
      await onYes();
      onClose();
    } catch (failure) {
      setFault(failure instanceof Error ? failure.message : `${failure}`);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <span className="space" />
          <button type="button" onClick={onClose}>
            {keep}
          </button>
          <button type="button" className={danger ? 'danger' : 'primary'} disabled={busy} onClick={() => void yes()}>
            {word}
          </button>
        </>
      }
    >
      {children}
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
    </Dialog>
  );
}
