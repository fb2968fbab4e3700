import { commands } from '../designer/commands';
import { Dialog } from '../parts/Dialog';

const others: [string, string][] = [
  ['Walk the graph', 'Arrow keys'],
  ['Move what is chosen', 'Shift+Arrow keys'],
  ['Choose nothing', 'Escape'],
  ['Choose several', 'Ctrl+click, Shift+drag'],
  ['Add from the list', 'Enter, double click, drag'],
];

export function KeysDialog({ onClose }: { onClose: () => void }) {
  const rows = [
    ...others,
    ...commands.filter((command) => command.keys).map(({ label, keys }): [string, string] => [label, keys!]),
  ];
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <p className="hint">They are the canvas’s: a text field keeps its own keys, undo among them.</p>
      <dl className="keys">
        {rows.map(([label, keys]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {keys.split(', ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
