import { useState } from 'react';
import { api } from '../api';
import { load, setSaving, useEditor } from '../designer/store';
import { uniqueName } from '../graph/document';
import { go } from '../hooks/useRoute';
import { Dialog } from '../parts/Dialog';
import { DifferenceView } from './DifferenceView';

/** Somebody else saved this workflow meanwhile. Nothing is lost: the user chooses. */
export function ConflictDialog() {
  const name = useEditor((state) => state.name);
  const catalog = useEditor((state) => state.catalog);
  const mine = useEditor((state) => state.history.present);
  const saving = useEditor((state) => state.saving);
  const [error, setError] = useState<string>();
  const { theirs } = saving;
  if (!theirs) return null;

  const keepMine = () =>
    setSaving({ state: 'waiting', revision: theirs.revision, saved: theirs.definition, theirs: undefined });
  const takeTheirs = () =>
    load(
      {
        name,
        definition: theirs.definition,
        revision: theirs.revision,
        published: saving.published,
        versions: saving.versions,
      },
      catalog,
    );
  const keepBoth = async () => {
    try {
      const taken = (await api.definitions()).map((one) => one.name);
      const copy = uniqueName(`${name}-copy`, taken);
      await api.save(copy, { ...mine, name: copy }, 0);
      takeTheirs();
      go('designer', copy);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : `${failure}`);
    }
  };
  return (
    <Dialog
      wide
      title="Changed elsewhere"
      actions={
        <>
          <button type="button" onClick={() => void keepBoth()}>
            Save mine as a copy
          </button>
          <span className="space" />
          <button type="button" onClick={takeTheirs}>
            Take theirs
          </button>
          <button type="button" className="primary" onClick={keepMine}>
            Keep mine
          </button>
        </>
      }
    >
      <p>
        Somebody saved ‘{name}’ while you were changing it (their revision is {theirs.revision}, yours began at{' '}
        {saving.revision}). Choose which one stands.
      </p>
      {error && (
        <p className="fault" role="alert">
          {error}
        </p>
      )}
      <DifferenceView before={theirs.definition} after={mine} names={['theirs', 'mine']} />
    </Dialog>
  );
}
