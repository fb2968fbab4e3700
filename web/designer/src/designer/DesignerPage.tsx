import { useEffect } from 'react';
import { api } from '../api';
import { catalogOf } from '../graph/document';
import { layoutAside } from '../graph/layoutAside';
import { useFetched } from '../hooks/useFetched';
import { Away } from '../parts/Away';
import { Picker } from '../parts/Picker';
import { ConflictDialog } from '../dialogs/ConflictDialog';
import { CopyDialog } from '../dialogs/CopyDialog';
import { KeysDialog } from '../dialogs/KeysDialog';
import { PublishDialog } from '../dialogs/PublishDialog';
import { StartRunDialog } from '../dialogs/StartRunDialog';
import { VersionsDialog } from '../dialogs/VersionsDialog';
import { WarningsDialog } from '../dialogs/WarningsDialog';
import { Canvas } from './Canvas';
import { focusPalette } from './commands';
import { ContextMenu } from './ContextMenu';
import { Inspector } from './Inspector';
import { Palette } from './Palette';
import { load, setSaving, show, useEditor } from './store';
import { Toolbar } from './Toolbar';
import { useAutosave } from './useAutosave';
import { useFaultCheck } from './useFaults';
import { useShortcuts } from './useShortcuts';

/** The designer of one workflow. */
export function DesignerPage({ name }: { name: string }) {
  const loaded = useFetched(async () => {
    const [activities, definition] = await Promise.all([api.activities(), api.definition(name)]);
    const placed = await layoutAside('missing', definition.definition, catalogOf(activities));
    return { activities, definition: { ...definition, definition: placed } };
  }, `designer ${name}`);
  const { data, error } = loaded;
  useEffect(() => {
    // What is open already may have been changed since; the autosave follows what others save.
    if (data && useEditor.getState().name !== name) load(data.definition, catalogOf(data.activities));
  }, [data, name]);
  useEffect(() => () => useEditor.setState({ name: '', overlay: undefined }), [name]);
  const ready = useEditor((state) => state.name === name);
  if (error && !(ready && data)) return <Away what={`The workflow ${name}`} error={error} onRetry={loaded.refresh} />;
  return ready && data ? <Designer key={name} /> : <p className="page empty">Opening {name}…</p>;
}

function Designer() {
  useAutosave();
  useShortcuts();
  usePublishedDocument();
  const faults = useFaultCheck();
  const panels = useEditor((state) => state.panels);
  const isEmpty = useEditor((state) => state.history.present.stages.length === 0);
  const notice = useEditor((state) => state.notice);
  return (
    <main className="designer" id="main" tabIndex={-1}>
      <Toolbar faults={faults.length} />
      <div className="work">
        {panels.palette && <Palette />}
        <div className="canvas">
          <Canvas />
          {isEmpty && (
            <div className="welcome">
              <h2>An empty workflow</h2>
              <p>Drag an activity here, double-click one in the list, or search.</p>
              <button type="button" className="primary" onClick={focusPalette}>
                Add the first stage <kbd>N</kbd>
              </button>
            </div>
          )}
          {notice && (
            <div className="notice" role="status">
              {notice}
            </div>
          )}
        </div>
        {panels.inspector && <Inspector faults={faults} />}
      </div>
      <Overlays />
    </main>
  );
}

function Overlays() {
  const overlay = useEditor((state) => state.overlay);
  const conflict = useEditor((state) => state.saving.state === 'conflict');
  const close = () => show(undefined);
  if (conflict) return <ConflictDialog />;
  switch (overlay?.kind) {
    case 'picker':
      return <Picker key={overlay.title} title={overlay.title} items={overlay.items} at={overlay.at} onClose={close} />;
    case 'menu':
      return <ContextMenu at={overlay.at} />;
    case 'warnings':
      return <WarningsDialog warnings={overlay.warnings} onClose={close} />;
    case 'versions':
      return <VersionsDialog onClose={close} />;
    case 'publish':
      return <PublishDialog onClose={close} />;
    case 'run':
      return <StartRunDialog upTo={overlay.upTo} onClose={close} />;
    case 'copy':
      return <CopyDialog onClose={close} />;
    case 'keys':
      return <KeysDialog onClose={close} />;
    default:
      return null;
  }
}

// Whether the draft has changes is a question of what was published.
function usePublishedDocument(): void {
  const name = useEditor((state) => state.name);
  const published = useEditor((state) => state.saving.published);
  useEffect(() => {
    if (published === null) return;
    api.version(name, published).then(
      (publishedDocument) => useEditor.getState().name === name && setSaving({ publishedDocument }),
      () => undefined,
    );
  }, [name, published]);
}
