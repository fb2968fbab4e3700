import { useEffect } from 'react';
import { useRefusal } from '../access/who';
import { api, ApiError } from '../api';
import { useEvents } from '../hooks/useEvents';
import type { WorkflowDocument } from '../graph/document';
import { equal } from '../graph/difference';
import { load, setSaving, useEditor, notify } from './store';

const quiet = 800;
const again = 3000;

/** Saves the document when it has not changed for a moment; goes on trying while the server does not answer. */
export function useAutosave(): void {
  const name = useEditor((state) => state.name);
  const present = useEditor((state) => state.history.present);
  const state = useEditor((one) => one.saving.state);
  const saved = useEditor((one) => one.saving.saved);
  const reason = useRefusal('operator');

  useEffect(() => {
    if (name === '' || state === 'conflict' || state === 'saving') return;
    if (present === saved) {
      if (state !== 'saved') setSaving({ state: 'saved', message: undefined });
      return;
    }
    if (reason !== undefined) return setSaving({ state: 'held', message: reason });
    if (state === 'saved' || state === 'held') setSaving({ state: 'waiting' });
    const timer = setTimeout(() => void save(name, present), state === 'failed' ? again : quiet);
    return () => clearTimeout(timer);
  }, [name, present, saved, state, reason]);

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      const { history, saving } = useEditor.getState();
      if (history.present !== saving.saved) event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => {
      window.removeEventListener('beforeunload', warn);
      void saveNow();
    };
  }, []);

  useEvents((event) => {
    if (event.type === 'definitions' && event.name === useEditor.getState().name) void follow(event.name);
  });
}

/** Saves what is not saved yet without waiting. */
export async function saveNow(): Promise<void> {
  const { name, history, saving } = useEditor.getState();
  const open = saving.state === 'waiting' || saving.state === 'failed';
  if (name !== '' && open && history.present !== saving.saved) await save(name, history.present);
}

async function save(name: string, document: WorkflowDocument): Promise<void> {
  setSaving({ state: 'saving' });
  try {
    const { revision } = await api.save(name, document, useEditor.getState().saving.revision);
    if (useEditor.getState().name === name)
      setSaving({ state: 'saved', revision, saved: document, message: undefined });
  } catch (error) {
    if (useEditor.getState().name !== name) return;
    const body =
      error instanceof ApiError && error.status === 409
        ? (error.body as { current?: { definition: WorkflowDocument; revision: number } })
        : undefined;
    if (body?.current) setSaving({ state: 'conflict', theirs: body.current });
    else setSaving({ state: 'failed', message: error instanceof Error ? error.message : `${error}` });
  }
}

// Somebody else saved: what is not touched here follows; what is touched meets them when it is saved.
async function follow(name: string): Promise<void> {
  const theirs = await api.definition(name).catch(() => undefined);
  const { saving, history, catalog } = useEditor.getState();
  if (!theirs || useEditor.getState().name !== name || theirs.revision <= saving.revision) {
    if (theirs && theirs.revision === saving.revision)
      setSaving({ published: theirs.published, versions: theirs.versions });
    return;
  }
  if (saving.state === 'saving' || history.present !== saving.saved) return;
  if (equal(theirs.definition, saving.saved)) {
    setSaving({ revision: theirs.revision, published: theirs.published, versions: theirs.versions });
    return;
  }
  load(theirs, catalog);
  notify('Changed elsewhere: this is the newest draft');
}
