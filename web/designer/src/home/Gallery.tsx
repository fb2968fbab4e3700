import { useMemo, useState } from 'react';
import { api } from '../api';
import { catalogOf, emptyDocument, type Catalog, type WorkflowDocument } from '../graph/document';
import { useFetched } from '../hooks/useFetched';
import { NameDialog } from '../dialogs/NameDialog';
import { go } from '../hooks/useRoute';
import { Icon } from '../parts/Icon';
import { RoleButton } from '../parts/RoleButton';
import { createDefinition } from './create';
import { Thumbnail } from './Thumbnail';

/** The recipes that ship, each with a picture of its graph, and an empty one. */
export function Gallery({ taken }: { taken: string[] }) {
  const { data, error } = useFetched(() => Promise.all([api.templates(), api.activities()]), 'templates');
  const catalog: Catalog = useMemo(() => catalogOf(data?.[1] ?? []), [data]);
  const [chosen, setChosen] = useState<WorkflowDocument>();
  return (
    <>
      {error && (
        <p className="fault" role="alert">
          {error}
        </p>
      )}
      <ul className="cards" aria-label="Templates">
        <li className="card">
          <RoleButton needs="operator" onClick={() => setChosen(emptyDocument('workflow'))}>
            <span className="thumbnail plus">
              <Icon name="plus" />
            </span>
            <strong>Empty</strong>
            <p>Begin with nothing.</p>
          </RoleButton>
        </li>
        {data?.[0].map((template) => (
          <li key={template.name} className="card">
            <RoleButton needs="operator" onClick={() => setChosen({ ...template.definition, name: template.name })}>
              <Thumbnail document={template.definition} catalog={catalog} />
              <strong>{template.title}</strong>
              <p>{template.description}</p>
            </RoleButton>
          </li>
        ))}
      </ul>
      {chosen && (
        <NameDialog
          title="New workflow"
          suggested={chosen.name}
          taken={taken}
          onClose={() => setChosen(undefined)}
          onName={async (name) => go('designer', await createDefinition(name, chosen, taken))}
        />
      )}
    </>
  );
}
