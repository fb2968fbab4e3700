import { Row, TextBox } from '../designer/FieldRow';
import type { Json, ParameterDefinition } from '../graph/document';
import { parameterFields, readField, show } from '../graph/form';

interface ValueProps {
  name: string;
  definition: ParameterDefinition;
  value: Json | undefined;
  error?: string;
  onValue: (value: Json | undefined) => void;
}

/** The value of one parameter of a workflow; its default stands where nothing is typed. */
export function ValueRow({ name, definition, value, error, onValue }: ValueProps) {
  const fallback = show(definition.default);
  return (
    <Row label={name} hint={[definition.description, `(${definition.type})`].filter(Boolean).join(' ')} error={error}>
      {(id, hint) =>
        definition.type === 'boolean' ? (
          <select
            id={id}
            aria-describedby={hint}
            value={show(value)}
            onChange={(event) => onValue(readField({ type: 'boolean' }, event.target.value))}
          >
            <option value="">{fallback === '' ? 'choose…' : `${fallback} (default)`}</option>
            <option>true</option>
            <option>false</option>
          </select>
        ) : (
          <TextBox
            id={id}
            describedBy={hint}
            value={show(value)}
            placeholder={fallback || 'must be set'}
            invalid={error !== undefined}
            onValue={(text) => onValue(readField({ type: parameterFields[definition.type] }, text))}
          />
        )
      }
    </Row>
  );
}
