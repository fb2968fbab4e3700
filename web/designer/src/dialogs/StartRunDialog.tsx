import { useEffect, useState } from 'react';
import { api, type StartRun } from '../api';
import { useEditor } from '../designer/store';
import { saveNow } from '../designer/useAutosave';
import { Row, TextBox } from '../designer/FieldRow';
import type { Fault } from '../graph/checks';
import { walk, type Json, type ParameterDefinition } from '../graph/document';
import { parameterFields, readField, show } from '../graph/form';
import { go } from '../hooks/useRoute';
import { Icon } from '../parts/Icon';
import { Dialog } from '../parts/Dialog';

/** The values of a run, checked by the server while they are typed. */
export function StartRunDialog({ onClose }: { onClose: () => void }) {
  const name = useEditor((state) => state.name);
  const document = useEditor((state) => state.history.present);
  const published = useEditor((state) => state.saving.published);
  const [values, setValues] = useState<Record<string, Json>>({});
  const [which, setWhich] = useState<'draft' | 'published'>('draft');
  const [noCache, setNoCache] = useState(false);
  const [faults, setFaults] = useState<Fault[]>();
  const [error, setError] = useState<string>();
  // The same dialog starts one run, however often the button is pressed and the answer lost.
  const [key] = useState(() => `${Date.now()}-${Math.random().toString(36).slice(2)}`);

  useEffect(() => {
    let current = true;
    setFaults(undefined);
    const timer = setTimeout(() => {
      api.validate(document, values).then(
        ({ errors }) => current && setFaults(errors),
        (failure: Error) => current && setError(failure.message),
      );
    }, 250);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [document, values]);

  const start = async () => {
    try {
      await saveNow();
      const run: StartRun =
        which === 'draft' ? { definition: document, values } : { name, version: published!, values };
      const { id } = await api.start({ ...run, key, ...(noCache ? { noCache } : {}) });
      onClose();
      go('runs', id);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : `${failure}`);
    }
  };
  const set = (parameter: string, value: Json | undefined) =>
    setValues(({ [parameter]: _, ...rest }) => (value === undefined ? rest : { ...rest, [parameter]: value }));
  const stages = walk(document).filter(({ stage }) => !stage.stages).length;
  const blocked = which === 'draft' && (faults === undefined || faults.length > 0);
  return (
    <Dialog
      title={`Run ${name}`}
      onClose={onClose}
      actions={
        <>
          <span className="hint">
            {faults === undefined
              ? 'Checking…'
              : faults.length === 0
                ? `${stages} stages, nothing wrong`
                : `${faults.length} to mend first`}
          </span>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" form="run-values" className="primary" disabled={blocked}>
            <Icon name="play" /> Start
          </button>
        </>
      }
    >
      <form
        id="run-values"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        {error && (
          <p className="fault" role="alert">
            {error}
          </p>
        )}
        {published !== null && (
          <Row label="What">
            {(id) => (
              <select id={id} value={which} onChange={(event) => setWhich(event.target.value as 'draft' | 'published')}>
                <option value="draft">the draft</option>
                <option value="published">version {published}</option>
              </select>
            )}
          </Row>
        )}
        {Object.entries(document.parameters ?? {}).map(([parameter, definition]) => (
          <ValueRow
            key={parameter}
            name={parameter}
            definition={definition}
            value={values[parameter]}
            error={faultOf(faults, parameter)}
            onValue={(value) => set(parameter, value)}
          />
        ))}
        {Object.keys(document.parameters ?? {}).length === 0 && (
          <p className="hint">This workflow has no parameters.</p>
        )}
        <label className="check">
          <input type="checkbox" checked={noCache} onChange={(event) => setNoCache(event.target.checked)} />
          Compute everything anew, even what is stored
        </label>
        {faults && faults.length > 0 && (
          <ul className="fault-list" aria-label="What is wrong">
            {faults
              .filter((fault) => !isOf(fault, document.parameters))
              .map((fault, index) => (
                <li key={index}>
                  {fault.stage && <strong>{fault.stage}: </strong>}
                  {fault.message}
                </li>
              ))}
          </ul>
        )}
      </form>
    </Dialog>
  );
}

const nameIn = (fault: Fault): string | undefined =>
  fault.stage === null
    ? (/^parameters\.(.+)$/.exec(fault.field ?? '')?.[1] ?? /^parameter '([^']+)'/.exec(fault.message)?.[1])
    : undefined;
const faultOf = (faults: Fault[] | undefined, parameter: string): string | undefined => {
  const message = faults?.find((fault) => nameIn(fault) === parameter)?.message;
  // The command line's advice is of no use here.
  return message?.replace(/: --set .*$/, '');
};
const isOf = (fault: Fault, parameters: Record<string, ParameterDefinition> | undefined): boolean =>
  nameIn(fault) !== undefined && nameIn(fault)! in (parameters ?? {});

interface ValueProps {
  name: string;
  definition: ParameterDefinition;
  value: Json | undefined;
  error?: string;
  onValue: (value: Json | undefined) => void;
}

function ValueRow({ name, definition, value, error, onValue }: ValueProps) {
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
