/** Every command once: its name, its keys, what it does. Keys, menu and command bar read this table. */
import { go } from '../hooks/useRoute';
import { walk } from '../graph/document';
import type { PickerItem } from '../parts/Picker';
import { familyOf, familyStyle } from '../canvas/colours';
import * as act from './actions';
import { offerPorts } from './joining';
import { exportElsaFile, exportFile, importFile } from './files';
import { currentDocument, pick, select, show, stepBack, stepForward, togglePanel, useEditor } from './store';

interface Command {
  id: string;
  label: string;
  /** As a person reads them; several ways apart by `, `. */
  keys?: string;
  section: 'Edit' | 'Arrange' | 'View' | 'Workflow';
  /** Whether it needs that many stages to be chosen. */
  needs?: number;
  inMenu?: boolean;
  run: () => void;
}

export const commands: Command[] = [
  { id: 'connect', label: 'Connect…', keys: 'C', section: 'Edit', needs: 1, inMenu: true, run: offerPorts },
  { id: 'open', label: 'Open the workflow inside', keys: 'Enter', section: 'View', needs: 1, run: act.openChosen },
  { id: 'undo', label: 'Undo', keys: 'Ctrl+Z', section: 'Edit', run: stepBack },
  { id: 'redo', label: 'Redo', keys: 'Ctrl+Y, Ctrl+Shift+Z', section: 'Edit', run: stepForward },
  { id: 'cut', label: 'Cut', keys: 'Ctrl+X', section: 'Edit', needs: 1, inMenu: true, run: () => void act.cut() },
  { id: 'copy', label: 'Copy', keys: 'Ctrl+C', section: 'Edit', needs: 1, inMenu: true, run: () => void act.copy() },
  { id: 'paste', label: 'Paste', keys: 'Ctrl+V', section: 'Edit', inMenu: true, run: () => void act.paste() },
  { id: 'duplicate', label: 'Duplicate', keys: 'Ctrl+D', section: 'Edit', needs: 1, inMenu: true, run: act.duplicate },
  { id: 'remove', label: 'Delete', keys: 'Delete, Backspace', section: 'Edit', inMenu: true, run: act.remove },
  { id: 'all', label: 'Select all', keys: 'Ctrl+A', section: 'Edit', inMenu: true, run: act.selectAll },
  { id: 'group', label: 'Group', keys: 'Ctrl+G', section: 'Arrange', needs: 1, inMenu: true, run: act.group },
  {
    id: 'ungroup',
    label: 'Ungroup',
    keys: 'Ctrl+Shift+G',
    section: 'Arrange',
    needs: 1,
    inMenu: true,
    run: act.ungroup,
  },
  {
    id: 'takeOut',
    label: 'Take out of the group',
    section: 'Arrange',
    needs: 1,
    inMenu: true,
    run: act.takeOut,
  },
  { id: 'left', label: 'Align left', section: 'Arrange', needs: 2, inMenu: true, run: () => act.alignChosen('left') },
  { id: 'center', label: 'Align centres', section: 'Arrange', needs: 2, run: () => act.alignChosen('center') },
  { id: 'right', label: 'Align right', section: 'Arrange', needs: 2, run: () => act.alignChosen('right') },
  { id: 'top', label: 'Align top', section: 'Arrange', needs: 2, inMenu: true, run: () => act.alignChosen('top') },
  { id: 'middle', label: 'Align middles', section: 'Arrange', needs: 2, run: () => act.alignChosen('middle') },
  { id: 'bottom', label: 'Align bottom', section: 'Arrange', needs: 2, run: () => act.alignChosen('bottom') },
  {
    id: 'across',
    label: 'Distribute across',
    section: 'Arrange',
    needs: 3,
    inMenu: true,
    run: () => act.distributeChosen('x'),
  },
  {
    id: 'down',
    label: 'Distribute down',
    section: 'Arrange',
    needs: 3,
    inMenu: true,
    run: () => act.distributeChosen('y'),
  },
  { id: 'fold', label: 'Close or open groups', keys: 'Shift+F', section: 'Arrange', inMenu: true, run: act.fold },
  { id: 'note', label: 'Add a note', keys: 'Shift+N', section: 'Edit', inMenu: true, run: act.addNoteHere },
  { id: 'tidy', label: 'Tidy up', keys: 'Shift+T', section: 'Arrange', inMenu: true, run: () => void act.tidy() },
  { id: 'fit', label: 'Fit into view', keys: 'F', section: 'View', inMenu: true, run: act.fit },
  { id: 'in', label: 'Zoom in', keys: '+', section: 'View', run: () => void useEditor.getState().flow?.zoomIn() },
  { id: 'out', label: 'Zoom out', keys: '-', section: 'View', run: () => void useEditor.getState().flow?.zoomOut() },
  { id: 'bar', label: 'Search commands, stages and kinds', keys: 'Ctrl+K', section: 'View', run: openCommandBar },
  { id: 'palette', label: 'Activities', keys: 'N', section: 'View', run: focusPalette },
  { id: 'inspector', label: 'Properties', keys: 'I', section: 'View', run: () => togglePanel('inspector') },
  { id: 'keys', label: 'Keyboard shortcuts', keys: '?', section: 'View', run: () => show({ kind: 'keys' }) },
  { id: 'settings', label: 'Workflow settings', section: 'Workflow', run: openSettings },
  { id: 'run', label: 'Run…', keys: 'Ctrl+Enter', section: 'Workflow', run: () => show({ kind: 'run' }) },
  { id: 'runTo', label: 'Run to here…', section: 'Workflow', needs: 1, inMenu: true, run: act.runToHere },
  { id: 'publish', label: 'Publish…', section: 'Workflow', run: () => show({ kind: 'publish' }) },
  { id: 'versions', label: 'Versions', section: 'Workflow', run: () => show({ kind: 'versions' }) },
  { id: 'saveAs', label: 'Copy under another name…', section: 'Workflow', run: () => show({ kind: 'copy' }) },
  { id: 'export', label: 'Export as a file', section: 'Workflow', run: exportFile },
  { id: 'exportElsa', label: 'Export as a file for Elsa', section: 'Workflow', run: () => void exportElsaFile() },
  { id: 'import', label: 'Import a file', section: 'Workflow', run: () => void importFile() },
  { id: 'home', label: 'All workflows', section: 'Workflow', run: () => go('workflows') },
];

export const byId = (id: string): Command => commands.find((command) => command.id === id)!;
export const isEnabled = (command: Command): boolean => useEditor.getState().selection.size >= (command.needs ?? 0);

export function focusPalette(): void {
  togglePanel('palette', true);
  setTimeout(() => window.document.querySelector<HTMLInputElement>('#palette-search')?.focus(), 0);
}

function openSettings(): void {
  select([]);
  togglePanel('inspector', true);
}

export function openCommandBar(): void {
  const stages = walk(currentDocument()).map(
    ({ path, stage }): PickerItem => ({
      id: `stage ${path}`,
      label: path,
      detail: stage.kind ?? 'group',
      section: 'Go to stage',
      style: familyStyle(familyOf(stage.kind)),
      run: () => {
        select([path]);
        act.reveal(path);
      },
    }),
  );
  const kinds = [...useEditor.getState().catalog.values()].map(
    (activity): PickerItem => ({
      id: `kind ${activity.kind}`,
      label: `Add ${activity.kind}`,
      detail: activity.description,
      section: 'Add a stage',
      style: familyStyle(activity.family),
      run: () => void act.add(activity.kind),
    }),
  );
  const known = commands.filter((command) => isEnabled(command) && command.id !== 'bar');
  const items = known.map(({ id, label, keys, section, run }): PickerItem => ({ id, label, keys, section, run }));
  const order = ['Edit', 'Arrange', 'View', 'Workflow'];
  items.sort((a, b) => order.indexOf(a.section!) - order.indexOf(b.section!));
  pick('Search commands, stages and kinds', [...items, ...stages, ...kinds]);
}
