import { uniqueName, type Json, type Stage } from '../graph/document';
import { readField, show } from '../graph/form';
import { Row, TextBox } from './FieldRow';
import { Icon } from '../parts/Icon';

type Matrix = NonNullable<Stage['matrix']>;

interface Props {
  stage: Stage;
  error?: string;
  onChange: (matrix: Matrix | undefined) => void;
}

/** The values that a stage or group runs for, once each, or once for each combination. */
export function MatrixForm({ stage, error, onChange }: Props) {
  const { matrix } = stage;
  const entries = Object.entries(matrix?.values ?? {});
  const put = (values: [string, Json][]) =>
    onChange(values.length > 0 ? { ...matrix, values: Object.fromEntries(values) } : undefined);
  return (
    <>
      {entries.map(([name, values], index) => (
        <div className="pair" key={index}>
          <TextBox
            label="Name in the matrix"
            value={name}
            onLeave
            onValue={(text) => put(entries.map((entry, at) => (at === index ? [text, values] : entry)))}
          />
          <TextBox
            label={`Values of ${name}`}
            value={writeList(values)}
            placeholder="0.3, 0.5, 0.7 or ${list}"
            onValue={(text) => put(entries.map((entry, at) => (at === index ? [name, readList(text)] : entry)))}
          />
          <button
            type="button"
            className="quiet small"
            aria-label={`Remove ${name}`}
            onClick={() => put(entries.filter((_, at) => at !== index))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      {error && (
        <p className="fault" role="alert">
          {error}
        </p>
      )}
      {matrix && (
        <Row label="parallel" hint="How many at once">
          {(id, hint) => (
            <TextBox
              id={id}
              describedBy={hint}
              value={show(matrix.parallel)}
              placeholder="all"
              onValue={(text) => onChange(withParallel(matrix, text))}
            />
          )}
        </Row>
      )}
      <button
        type="button"
        className="small"
        onClick={() =>
          put([
            ...entries,
            [
              uniqueName(
                'value',
                entries.map(([name]) => name),
              ),
              [],
            ],
          ])
        }
      >
        + matrix value
      </button>
    </>
  );
}

function withParallel(matrix: Matrix, text: string): Matrix {
  const { parallel: _, ...rest } = matrix;
  const read = readField({ type: 'integer' }, text);
  return read === undefined ? rest : { ...rest, parallel: read as number | string };
}

const writeList = (values: Json): string =>
  Array.isArray(values) ? values.map((value) => show(value)).join(', ') : show(values);

function readList(text: string): Json {
  if (text.trim().startsWith('${')) return text.trim();
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => readField({ type: 'number' }, part)!);
}
