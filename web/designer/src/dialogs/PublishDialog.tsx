import { useState } from 'react';
import { useRefusal } from '../access/who';
import { api } from '../api';
import { setSaving, useEditor, notify } from '../designer/store';
import { saveNow } from '../designer/useAutosave';
import { emptyDocument } from '../graph/document';
import { Dialog } from '../parts/Dialog';
import { RoleButton } from '../parts/RoleButton';
import { DifferenceView } from './DifferenceView';

/** Publishing: what becomes a version that never changes any more. */
export function PublishDialog({ onClose }: { onClose: () => void }) {
  const name = useEditor((state) => state.name);
  const draft = useEditor((state) => state.history.present);
  const { published, publishedDocument } = useEditor((state) => state.saving);
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const reason = useRefusal('operator');

  const publish = async () => {
    setBusy(true);
    try {
      await saveNow();
      const { revision, saved } = useEditor.getState().saving;
      const { version } = await api.publish(name, revision);
      const { versions } = await api.definition(name);
      setSaving({ published: version, publishedDocument: saved, versions });
      notify(`Published as version ${version}`);
      onClose();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : `${failure}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      wide
      title={`Publish ${name}`}
      onClose={onClose}
      actions={
        <>
          <span className="hint">{reason}</span>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Not now
          </button>
          <RoleButton needs="operator" className="primary" disabled={busy} onClick={() => void publish()}>
            Publish
          </RoleButton>
        </>
      }
    >
      <p>
        A published version never changes. Schedules and people run it by its number, while the draft goes on.
        {published === null ? ' This is the first one.' : ` The last one is version ${published}.`}
      </p>
      {error && (
        <p className="fault" role="alert">
          {error}
        </p>
      )}
      <DifferenceView
        before={publishedDocument ?? emptyDocument(name)}
        after={draft}
        names={[published === null ? '–' : `version ${published}`, 'draft']}
      />
    </Dialog>
  );
}
