import { useEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent } from 'react';
import { search } from '../graph/search';

export interface PickerItem {
  id: string;
  label: string;
  detail?: string;
  /** A heading; items of one section follow each other. */
  section?: string;
  keys?: string;
  style?: CSSProperties;
  run: () => void;
}

interface Props {
  title: string;
  items: PickerItem[];
  at?: { x: number; y: number };
  onClose: () => void;
}

/** A list that is searched by typing and walked with the arrow keys: commands, ports, kinds. */
export function Picker({ title, items, at, onClose }: Props) {
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(
    () => search(items, query, (item) => [item.label, item.detail ?? '', item.section ?? '']),
    [items, query],
  );
  useEffect(() => setActive(0), [query, items]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const pick = (item: PickerItem | undefined) => {
    if (!item) return;
    onClose();
    item.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) setActive((index) => Math.min(found.length - 1, Math.max(0, index + step)));
    else if (event.key === 'Enter') pick(found[active]);
    else if (event.key === 'Escape') onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const place: CSSProperties = at
    ? {
        left: Math.max(8, Math.min(at.x, window.innerWidth - 372)),
        top: Math.max(8, Math.min(at.y, window.innerHeight - 380)),
      }
    : {};
  return (
    <>
      <div className="veil" onPointerDown={onClose} />
      <div
        className={`picker ${at ? 'placed' : ''}`}
        style={place}
        role="dialog"
        aria-label={title}
        onKeyDown={onKeyDown}
      >
        <input
          autoFocus
          value={query}
          placeholder={title}
          aria-label={title}
          role="combobox"
          aria-expanded="true"
          aria-controls="picker-list"
          aria-activedescendant={found[active] ? `pick-${active}` : undefined}
          onChange={(event) => setQuery(event.target.value)}
        />
        <ul id="picker-list" role="listbox" aria-label={title} ref={list}>
          {found.map((item, index) => (
            <li
              key={item.id}
              id={`pick-${index}`}
              role="option"
              aria-selected={index === active}
              style={item.style}
              onPointerMove={() => setActive(index)}
              onClick={() => pick(item)}
            >
              {query === '' && item.section && item.section !== found[index - 1]?.section && (
                <div className="section">{item.section}</div>
              )}
              <div className="item">
                {item.style && <i className="dot" />}
                <span className="label">{item.label}</span>
                {item.detail && <span className="detail">{item.detail}</span>}
                {item.keys && <kbd>{item.keys}</kbd>}
              </div>
            </li>
          ))}
          {found.length === 0 && (
            <li className="empty">{items.length === 0 ? 'Nothing fits here' : `Nothing is called '${query}'`}</li>
          )}
        </ul>
      </div>
    </>
  );
}
