import { useMemo, useState, type KeyboardEvent } from 'react';
import { familyStyle } from '../canvas/colours';
import type { Activity } from '../graph/document';
import { search } from '../graph/search';
import { add, groupKind, workflowKind } from './actions';
import { dragType } from './Canvas';
import { togglePanel, useEditor } from './store';
import { Icon } from '../parts/Icon';

const structure = (kind: string, description: string): Activity => ({
  kind,
  version: 1,
  family: 'structure',
  description,
  inputs: [],
  outputs: [],
  parameters: {},
});

const structures = [
  structure(groupKind, 'A box of stages: to repeat, to run for each of several values, or to keep together'),
  structure(
    workflowKind,
    'A whole workflow as one stage, with inputs and outputs of its own; opened by a double click',
  ),
];
const titles: Record<string, string> = { [groupKind]: 'Group', [workflowKind]: 'Workflow' };

/** Everything that can be added: by dragging, a double click, or Enter. */
export function Palette() {
  const catalog = useEditor((state) => state.catalog);
  const [query, setQuery] = useState('');
  const found = useMemo(
    () => search([...catalog.values(), ...structures], query, (one) => [titles[one.kind] ?? one.kind, one.description]),
    [catalog, query],
  );
  const families = byFamily(found);

  // The arrow keys go through the list from the search box on.
  const walk = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const stops = [...event.currentTarget.querySelectorAll<HTMLElement>('#palette-search, .palette-item')];
    const at = stops.indexOf(window.document.activeElement as HTMLElement);
    stops[Math.max(0, Math.min(stops.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1)))]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <aside className="panel palette" aria-label="Activities" onKeyDown={walk}>
      <header>
        <h2>Activities</h2>
        <button
          type="button"
          className="quiet"
          aria-label="Close the list of activities"
          onClick={() => togglePanel('palette', false)}
        >
          <Icon name="close" />
        </button>
      </header>
      <input
        id="palette-search"
        type="search"
        placeholder="Search…  (N)"
        aria-label="Search activities"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && found[0]) add(found[0].kind);
        }}
      />
      <div className="panel-body">
        {families.map(([family, activities]) => (
          <section key={family} style={familyStyle(family)} aria-label={family}>
            <h3>
              <i className="dot" />
              {family}
            </h3>
            {activities.map((activity) => (
              <button
                type="button"
                key={activity.kind}
                className="palette-item"
                draggable
                title={`${activity.description}\nDrag it, double-click it or press Enter`}
                onDragStart={(event) => {
                  event.dataTransfer.setData(dragType, activity.kind);
                  event.dataTransfer.effectAllowed = 'copy';
                }}
                onDoubleClick={() => add(activity.kind)}
                onKeyDown={(event) => {
                  if (event.key !== 'Enter') return;
                  event.preventDefault();
                  add(activity.kind);
                }}
              >
                <strong>
                  {titles[activity.kind] ?? (activity.kind.slice(activity.family.length + 1) || activity.kind)}
                </strong>
                <span>{activity.description}</span>
              </button>
            ))}
          </section>
        ))}
        {found.length === 0 && <p className="empty">No activity has ‘{query}’ in its name or description.</p>}
      </div>
    </aside>
  );
}

function byFamily(activities: Activity[]): [string, Activity[]][] {
  const families = new Map<string, Activity[]>();
  for (const one of activities) families.set(one.family, [...(families.get(one.family) ?? []), one]);
  return [...families];
}
