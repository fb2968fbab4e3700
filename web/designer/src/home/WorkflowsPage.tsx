import { useState } from 'react';
import { api, type DefinitionSummary } from '../api';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { go, linkTo } from '../hooks/useRoute';
import { chooseFile, readFile } from '../designer/files';
import { Away } from '../parts/Away';
import { Confirm } from '../parts/Confirm';
import { ago } from '../parts/format';
import { Gallery } from './Gallery';
import { createDefinition } from './create';
import { Icon } from '../parts/Icon';
import { RoleButton } from '../parts/RoleButton';

/** All workflows, and the ways to a new one. */
export function WorkflowsPage() {
  const { data, error, refresh } = useFetched(api.definitions, 'definitions');
  const [leaving, setLeaving] = useState<DefinitionSummary>();
  const [fault, setFault] = useState<string>();
  useEvents((event) => {
    if (event.type === 'definitions') refresh();
  });
  const taken = (data ?? []).map((one) => one.name);

  const open = async () => {
    const file = await chooseFile();
    if (!file) return;
    const read = await readFile(file);
    if (typeof read === 'string') return setFault(`${file.name}: ${read}`);
    try {
      go('designer', await createDefinition(read.document.name || file.name.replace(/\.json$/, ''), read.document, taken));
    } catch (failure) {
      setFault(`${file.name}: ${failure instanceof Error ? failure.message : failure}`);
    }
  };
  if (error && !data) return <Away what="The list of workflows" error={error} onRetry={refresh} />;
  return (
    <main className="page" id="main" tabIndex={-1}>
      <header className="page-header">
        <h1>Workflows</h1>
        <RoleButton needs="operator" onClick={() => void open()}>
          Import a file…
        </RoleButton>
      </header>
      {(error ?? fault) && (
        <p className="fault" role="alert">
          {error ?? fault}
        </p>
      )}
      {data && data.length > 0 && (
        <ul className="cards" aria-label="Workflows">
          {data.map((one) => (
            <li key={one.name} className="card">
              <a href={linkTo('designer', one.name)}>
                <strong>{one.name}</strong>
                <p>{one.description ?? 'No description'}</p>
                <footer>
                  <span className={`chip ${one.published === null ? '' : one.changed ? 'changed' : 'good'}`}>
                    {one.published === null
                      ? 'Not published'
                      : one.changed
                        ? `Has changes since v${one.published}`
                        : `Published v${one.published}`}
                  </span>
                  <span className="hint">{ago(one.updated)}</span>
                </footer>
              </a>
              <RoleButton
                needs="admin"
                className="quiet corner"
                aria-label={`Delete ${one.name}`}
                onClick={() => setLeaving(one)}
              >
                <Icon name="close" />
              </RoleButton>
            </li>
          ))}
        </ul>
      )}
      {data?.length === 0 && <p className="empty">No workflow yet. Begin with one of these.</p>}
      <h2>New workflow</h2>
      <Gallery taken={taken} />
      {leaving && (
        <Confirm
          title={`Delete ${leaving.name}?`}
          word="Delete"
          keep="Keep"
          danger
          onClose={() => setLeaving(undefined)}
          onYes={() => api.remove(leaving.name).then(refresh)}
        >
          <p>Its draft and its published versions go. Runs keep the copy that they ran.</p>
        </Confirm>
      )}
    </main>
  );
}
