import { useEffect } from 'react';
import { nudge, walkTo } from './actions';
import { commands, isEnabled } from './commands';
import { select, useEditor } from './store';

/** The keys of the canvas. A text field keeps its own: there only those that no field knows are taken. */
export function useShortcuts(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || useEditor.getState().overlay || window.document.querySelector('dialog[open]'))
        return;
      const inText = isText(event.target);
      const pressed = nameOf(event);
      if (inText && pressed !== 'Ctrl+K' && pressed !== 'Ctrl+Enter') {
        if (pressed === 'Escape') (event.target as HTMLElement).blur();
        return;
      }
      // A button takes Enter and the space bar; its other keys are the canvas's.
      if (pressed === 'Enter' && (event.target as HTMLElement).closest('button, a, summary')) return;
      if (pressed === 'Ctrl+C' && window.getSelection()?.toString()) return;
      if (moved(event) || escaped(pressed)) return event.preventDefault();
      const command = commands.find((one) => one.keys?.split(', ').includes(pressed));
      if (!command) return;
      event.preventDefault();
      if (isEnabled(command)) command.run();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

function nameOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 && event.key !== '+' && event.key !== '?' ? event.key.toUpperCase() : event.key;
  const shifted = event.shiftKey && event.key !== '+' && event.key !== '?';
  return [event.ctrlKey || event.metaKey ? 'Ctrl' : '', shifted ? 'Shift' : '', key].filter(Boolean).join('+');
}

const arrows = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' } as const;

// The arrows walk; with Shift they move what is chosen.
function moved(event: KeyboardEvent): boolean {
  const direction = arrows[event.key as keyof typeof arrows];
  if (!direction || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.shiftKey) nudge(direction, 12);
  else walkTo(direction);
  return true;
}

function escaped(pressed: string): boolean {
  if (pressed !== 'Escape') return false;
  select([]);
  return true;
}
