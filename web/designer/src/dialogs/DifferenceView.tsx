import { difference, isSame, type FieldDifference } from '../graph/difference';
import type { WorkflowDocument } from '../graph/document';
import { written } from '../parts/format';

interface Props {
  before: WorkflowDocument;
  after: WorkflowDocument;
  names: [string, string];
}

const words = { added: 'added', removed: 'removed', changed: 'changed' } as const;

/** Two documents side by side, only where they differ. */
export function DifferenceView({ before, after, names }: Props) {
  const found = difference(before, after);
  if (isSame(found))
    return <p className="empty">{found.moved ? 'The same stages; only their places differ.' : 'No difference.'}</p>;
  return (
    <div className="difference">
      <table>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">{names[0]}</th>
            <th scope="col">{names[1]}</th>
          </tr>
        </thead>
        {found.document.length > 0 && <Rows title="workflow" change="changed" fields={found.document} />}
        {found.stages.map((stage) => (
          <Rows key={stage.path} title={stage.path} change={stage.change} fields={stage.fields} />
        ))}
      </table>
    </div>
  );
}

function Rows({ title, change, fields }: { title: string; change: keyof typeof words; fields: FieldDifference[] }) {
  return (
    <tbody className={change}>
      <tr>
        <th scope="rowgroup" colSpan={3}>
          {title} <span className="chip">{words[change]}</span>
        </th>
      </tr>
      {fields.map(({ field, before, after }) => (
        <tr key={field}>
          <td>{field}</td>
          <td className="before">{written(before)}</td>
          <td className="after">{written(after)}</td>
        </tr>
      ))}
    </tbody>
  );
}
