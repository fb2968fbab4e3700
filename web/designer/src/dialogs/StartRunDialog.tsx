import { useEffect, useMemo, useState } from 'react';
import { useRefusal } from '../access/who';
import { api, type StartRun } from '../api';
import { useEditor } from '../designer/store';
import { saveNow } from '../designer/useAutosave';
import { Row } from '../designer/FieldRow';
import type { Fault } from '../graph/checks';
import type { Json, ParameterDefinition, Path } from '../graph/document';
import { documentUpTo } from '../graph/upTo';
import { go } from '../hooks/useRoute';
import { Icon } from '../parts/Icon';
import { Dialog } from '../parts/Dialog';
import { RoleButton } from '../parts/RoleButton';
import { PreviewList } from './PreviewList';
import { countsOf } from './preview';
import { usePreview } from './usePreview';
import { ValueRow } from './ValueRow';

interface Props {
  /** Only what this stage needs. */
  upTo?: Path;
  onClose: () => void;
}

/** The values of a run, checked by the server while they are typed. */
export function StartRunDialog({ upTo, onClose }: Props) {
  const name = useEditor((state) => state.name);
  const whole = useEditor((state) => state.history.present);
  const document = useMemo(() => (upTo === undefined ? whole : documentUpTo(whole, upTo)), [whole, upTo]);
  const latest = useEditor((state) => state.saving.published);
  // A part of a workflow is no version of it.
  const published = upTo === undefined ? latest : null;
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

  const run: StartRun = {
    ...(which === 'draft' ? { definition: document } : { name, version: published! }),
    values,
    ...(noCache ? { noCache } : {}),
  };
  const isSound = which === 'published' || faults?.length === 0;
  const reason = useRefusal('operator');
  const preview = usePreview(isSound ? run : undefined);
  const start = async () => {
    try {
      await saveNow();
      const { id } = await api.start({ ...run, key });
      onClose();
      go('runs', id);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : `${failure}`);
    }
  };
  const set = (parameter: string, value: Json | undefined) =>
    setValues(({ [parameter]: _, ...rest }) => (value === undefined ? rest : { ...rest, [parameter]: value }));
  const { computed, reused } = countsOf(preview.stages ?? []);
  return (
    <Dialog
      title={upTo === undefined ? `Run ${name}` : `Run ${name} to ${upTo}`}
      onClose={onClose}
      actions={
        <>
          <span className="hint">
            {reason ??
              (isSound ? 'Nothing wrong' : faults === undefined ? 'Checking…' : `${faults.length} to mend first`)}
          </span>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <RoleButton needs="operator" type="submit" form="run-values" className="primary" disabled={!isSound}>
            <Icon name="play" /> Start{preview.stages && ` (${computed} to compute, ${reused} reused)`}
          </RoleButton>
        </>
      }
    >
      <form
        id="run-values"
        onSubmit={(event) => {
          event.preventDefault();
          if (!reason) void start();
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
        {preview.stages && <PreviewList stages={preview.stages} />}
        {preview.error && <p className="hint">What will be reused cannot be said now: {preview.error}</p>}
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
