import { useEffect, useRef, type KeyboardEvent } from 'react';
import { commands, isEnabled } from './commands';
import { openCommandBar } from './commands';
import { show, type Screen } from './store';

/** What can be done with what is chosen, where the mouse is. */
export function ContextMenu({ at }: { at: Screen }) {
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => menu.current?.querySelector('button')?.focus(), []);
  const shown = commands.filter((command) => command.inMenu && isEnabled(command));
  const walk = (event: KeyboardEvent) => {
    if (event.key === 'Escape') show(undefined);
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const items = [...menu.current!.querySelectorAll('button')];
    const index = items.indexOf(window.document.activeElement as HTMLButtonElement);
    items[(index + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  const place = {
    left: Math.min(at.x, window.innerWidth - 250),
    top: Math.min(at.y, Math.max(8, window.innerHeight - 40 - 30 * (shown.length + 1))),
  };
  return (
    <>
      <div className="veil" onPointerDown={() => show(undefined)} onContextMenu={(event) => event.preventDefault()} />
      <div className="menu" role="menu" ref={menu} style={place} onKeyDown={walk}>
        <button type="button" role="menuitem" onClick={openCommandBar}>
          Add a stage… <kbd>Ctrl+K</kbd>
        </button>
        {shown.map((command, index) => (
          <button
            type="button"
            role="menuitem"
            key={command.id}
            className={command.section !== shown[index - 1]?.section ? 'first' : ''}
            onClick={() => {
              show(undefined);
              command.run();
            }}
          >
            {command.label} {command.keys && <kbd>{command.keys.split(', ')[0]}</kbd>}
          </button>
        ))}
      </div>
    </>
  );
}
