import { useEffect, useId, useState, type ReactNode } from 'react';
import type { Json } from '../graph/document';
import { describe, isTemplate, readField, show, type Field } from '../graph/form';

interface RowProps {
  label: string;
  hint?: string;
  error?: string;
  children: (id: string, describedBy: string) => ReactNode;
  action?: ReactNode;
}

/** A label, a box, what it is for, and what is wrong with it. */
export function Row({ label, hint, error, children, action }: RowProps) {
  const id = useId();
  return (
    <div className={`row ${error ? 'wrong' : ''}`}>
      <label htmlFor={id}>{label}</label>
      {action}
      {children(id, `${id}-hint`)}
      <small id={`${id}-hint`}>
        {error && <em>{error}</em>}
        {hint}
      </small>
    </div>
  );
}

interface DraftProps {
  id?: string;
  label?: string;
  value: string;
  placeholder?: string;
  describedBy?: string;
  lines?: number;
  /** Whether the value is taken only when the box is left: for names, which others refer to. */
  onLeave?: boolean;
  invalid?: boolean;
  onValue: (text: string) => void;
}

/** A text box that keeps what is being typed, so that `1.` does not become `1` under the fingers. */
export function TextBox({ id, label, value, placeholder, describedBy, lines, onLeave, invalid, onValue }: DraftProps) {
  const [draft, setDraft] = useState<string>();
  useEffect(() => setDraft((kept) => (kept === undefined || onLeave ? undefined : kept)), [value, onLeave]);
  const leave = () => {
    if (onLeave && draft !== undefined && draft !== value) onValue(draft);
    setDraft(undefined);
  };
  const shared = {
    id,
    'aria-label': label,
    'aria-describedby': describedBy,
    'aria-invalid': invalid || undefined,
    value: draft ?? value,
    placeholder,
    spellCheck: false,
    onBlur: leave,
    onChange: (event: { target: { value: string } }) => {
      setDraft(event.target.value);
      if (!onLeave) onValue(event.target.value);
    },
  };
  if (lines) return <textarea rows={lines} {...shared} />;
  return <input {...shared} onKeyDown={(event) => event.key === 'Enter' && leave()} />;
}

interface Props {
  field: Field;
  value: Json | undefined;
  error?: string;
  onValue: (value: Json | undefined) => void;
}

/** One parameter: the box that its type wants, its default as a placeholder, its range and description below. */
export function FieldRow({ field, value, error, onValue }: Props) {
  const [asText, setAsText] = useState(isTemplate(value));
  const wantsChoice = (field.type === 'choice' || field.type === 'boolean') && !asText && !isTemplate(value);
  const range = field.minimum !== undefined || field.maximum !== undefined ? ` (${describe(field)})` : '';
  const choices = field.type === 'boolean' ? ['true', 'false'] : (field.choices ?? []);
  const fallback = field.default === undefined ? undefined : field.default === null ? 'none' : show(field.default);
  return (
    <Row
      label={field.name}
      hint={`${field.description ?? ''}${range}`}
      error={error}
      action={
        (field.type === 'choice' || field.type === 'boolean') && (
          <button
            type="button"
            className="quiet small"
            title="A choice, or a text with ${…}"
            onClick={() => setAsText(!asText)}
          >
            {wantsChoice ? '${…}' : 'choice'}
          </button>
        )
      }
    >
      {(id, describedBy) =>
        wantsChoice ? (
          <select
            id={id}
            aria-describedby={describedBy}
            value={show(value)}
            onChange={(event) => onValue(readField(field, event.target.value))}
          >
            <option value="">{fallback === undefined ? 'choose…' : `${fallback} (default)`}</option>
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        ) : (
          <TextBox
            id={id}
            describedBy={describedBy}
            invalid={error !== undefined}
            value={show(value)}
            placeholder={fallback ?? (field.required ? 'required' : '')}
            onValue={(text) => onValue(readField(field, text))}
          />
        )
      }
    </Row>
  );
}
