import type { KeyboardEvent, ReactNode } from 'react';

interface Props<T extends string> {
  id: string;
  label: string;
  names: readonly T[];
  chosen: T;
  onChoose: (name: T) => void;
  children?: ReactNode;
}

/** Tabs as the keyboard knows them: Tab comes to the chosen one, the arrows go on. The panel has the id `${id}-panel`. */
export function Tabs<T extends string>({ id, label, names, chosen, onChoose, children }: Props<T>) {
  const walk = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = names[(names.indexOf(chosen) + step + names.length) % names.length]!;
    onChoose(next);
    window.document.getElementById(`${id}-tab-${next}`)?.focus();
  };
  return (
    <div className="tabs">
      <div role="tablist" aria-label={label} onKeyDown={walk}>
        {names.map((name) => (
          <button
            type="button"
            role="tab"
            key={name}
            id={`${id}-tab-${name}`}
            aria-selected={chosen === name}
            aria-controls={`${id}-panel`}
            tabIndex={chosen === name ? 0 : -1}
            onClick={() => onChoose(name)}
          >
            {name}
          </button>
        ))}
      </div>
      {children}
    </div>
  );
}
