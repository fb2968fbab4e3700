import { useEffect, useRef, type ReactNode } from 'react';
import { Icon } from './Icon';

interface Props {
  title: string;
  /** Without it the dialog stays until something is chosen. */
  onClose?: () => void;
  children: ReactNode;
  actions?: ReactNode;
  wide?: boolean;
}

/** A modal dialog: the browser's own, which keeps the focus inside and gives it back. */
export function Dialog({ title, onClose, children, actions, wide }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current!;
    if (!dialog.open) dialog.showModal();
    // Not the button that closes it, which comes first.
    dialog.querySelector<HTMLElement>('.dialog-body :is(input, select, textarea), footer .primary')?.focus();
  }, []);
  return (
    <dialog
      ref={element}
      className={wide ? 'wide' : ''}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <header>
        <h2>{title}</h2>
        {onClose && (
          <button type="button" className="quiet" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {/* What does not fit is scrolled by keys, also where nothing in it takes the focus. */}
      <div className="dialog-body" role="group" aria-label={title} tabIndex={0}>
        {children}
      </div>
      {actions && <footer>{actions}</footer>}
    </dialog>
  );
}
