import { useState } from 'react';
import { api } from '../api';
import { replaceDocument, useEditor, notify } from '../designer/store';
import { useFetched } from '../hooks/useFetched';
import { Dialog } from '../parts/Dialog';
import { when } from '../parts/format';
import { RoleButton } from '../parts/RoleButton';
import { DifferenceView } from './DifferenceView';

/** The published versions: what differs from the draft, and taking one back. */
export function VersionsDialog({ onClose }: { onClose: () => void }) {
  const name = useEditor((state) => state.name);
  const draft = useEditor((state) => state.history.present);
  const versions = useEditor((state) => state.saving.versions);
  const newest = [...versions].sort((a, b) => b.version - a.version);
  const [chosen, setChosen] = useState(newest[0]?.version);
  const { data, error } = useFetched(
    () => (chosen === undefined ? Promise.resolve(undefined) : api.version(name, chosen)),
    `version ${name} ${chosen}`,
  );
  const restore = () => {
    if (!data) return;
    replaceDocument(data);
    notify(`The draft is version ${chosen} again; undo brings the other one back`);
    onClose();
  };
  return (
    <Dialog
      wide
      title={`Versions of ${name}`}
      onClose={onClose}
      actions={
        <>
          <span className="space" />
          <RoleButton needs="operator" className="primary" disabled={!data} onClick={restore}>
            Restore version {chosen ?? ''}
          </RoleButton>
        </>
      }
    >
      {newest.length === 0 ? (
        <p className="empty">Nothing is published yet.</p>
      ) : (
        <div className="versions">
          <ul aria-label="Versions">
            {newest.map((version) => (
              <li key={version.version}>
                <button
                  type="button"
                  aria-pressed={version.version === chosen}
                  onClick={() => setChosen(version.version)}
                >
                  <strong>Version {version.version}</strong>
                  <span>{when(version.at)}</span>
                  {version.by && <span>{version.by}</span>}
                </button>
              </li>
            ))}
          </ul>
          <div>
            {error && (
              <p className="fault" role="alert">
                {error}
              </p>
            )}
            {data && <DifferenceView before={data} after={draft} names={[`version ${chosen}`, 'draft']} />}
          </div>
        </div>
      )}
    </Dialog>
  );
}
