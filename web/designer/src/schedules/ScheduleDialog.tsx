import { useState } from 'react';
import { api, type Schedule } from '../api';
import { Row } from '../designer/FieldRow';
import { ValueRow } from '../dialogs/ValueRow';
import { useFetched } from '../hooks/useFetched';
import { Dialog } from '../parts/Dialog';
import { formOf, nameFault, planOf, strays, type ScheduleForm } from './form';
import { missedWords, overlapWords } from './outcome';
import { useTimes } from './useTimes';
import { WhenRows } from './WhenRows';

interface Props {
  /** The one that is changed; without it a new one is made. */
  schedule?: Schedule;
  /** Names that a new one cannot have. */
  taken?: string[];
  onClose: () => void;
  onSaved: (name: string) => void;
}

/** A schedule, new or changed; when it will fire is shown before it is saved. */
export function ScheduleDialog({ schedule, taken = [], onClose, onSaved }: Props) {
  const { data: definitions } = useFetched(api.definitions, 'definitions');
  const published = (definitions ?? []).filter((one) => one.published !== null);
  // A workflow that was deleted since stands there all the same.
  const names = [
    ...new Set([...(schedule?.definition ? [schedule.definition] : []), ...published.map((one) => one.name)]),
  ];
  const [form, setForm] = useState(() => formOf(schedule));
  const [error, setError] = useState<string>();
  const change = (some: Partial<ScheduleForm>) => setForm((before) => ({ ...before, ...some }));
  const { name, version, values } = form;
  const isOwn = schedule !== undefined && schedule.definition === undefined;
  const definition = form.definition ?? (isOwn ? undefined : published[0]?.name);
  const latest = published.find((one) => one.name === definition)?.published ?? undefined;
  const shown = version ?? latest;
  const { data: document } = useFetched(
    async () => (definition && shown ? await api.version(definition, shown) : undefined),
    `version ${definition} ${shown}`,
  );
  const found = useTimes(form.cron, form.zone);
  const fault = schedule ? undefined : nameFault(name, taken);
  const parameters = document && (document.parameters ?? {});
  const left = strays(values, parameters);
  const ready =
    (definition !== undefined || isOwn) && name !== '' && !fault && found.times !== undefined && !found.fault;

  const save = async () => {
    const plan = planOf(form, definition, parameters);
    try {
      await (schedule ? api.changeSchedule(name, plan) : api.createSchedule({ name, ...plan }));
      onSaved(name);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : `${failure}`);
    }
  };
  return (
    <Dialog
      title={schedule ? `Change ${name}` : 'New schedule'}
      onClose={onClose}
      wide
      actions={
        <>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" form="schedule" className="primary" disabled={!ready}>
            {schedule ? 'Save' : 'Add the schedule'}
          </button>
        </>
      }
    >
      <form
        id="schedule"
        className="columns"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void save();
        }}
      >
        <div>
          {!schedule && (
            <Row label="Name" error={fault}>
              {(id, hint) => (
                <input
                  id={id}
                  aria-describedby={hint}
                  value={name}
                  onChange={(event) => change({ name: event.target.value })}
                />
              )}
            </Row>
          )}
          <Row
            label="Workflow"
            hint={
              definitions && published.length === 0
                ? 'Only a published workflow can be scheduled: publish one in the designer.'
                : undefined
            }
          >
            {(id, hint) => (
              <select
                id={id}
                aria-describedby={hint}
                value={definition ?? ''}
                onChange={(event) =>
                  change({ definition: event.target.value || undefined, version: undefined, values: {} })
                }
              >
                {isOwn && <option value="">the document that it carries</option>}
                {names.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            )}
          </Row>
          {latest !== undefined && (
            <Row label="Version">
              {(id) => (
                <select
                  id={id}
                  value={version ?? ''}
                  onChange={(event) =>
                    change({ version: event.target.value === '' ? undefined : Number(event.target.value) })
                  }
                >
                  <option value="">the latest at each time (now v{latest})</option>
                  {Array.from({ length: latest }, (_, index) => latest - index).map((one) => (
                    <option key={one} value={one}>
                      always v{one}
                    </option>
                  ))}
                </select>
              )}
            </Row>
          )}
          {Object.entries(parameters ?? {}).map(([parameter, one]) => (
            <ValueRow
              key={`${definition} ${parameter}`}
              name={parameter}
              definition={
                one.type === 'path'
                  ? { ...one, description: `${one.description ?? ''} latest:FOLDER/* takes the newest at each time` }
                  : one
              }
              value={values[parameter]}
              onValue={(value) =>
                setForm(({ values: { [parameter]: _, ...rest }, ...others }) => ({
                  ...others,
                  values: value === undefined ? rest : { ...rest, [parameter]: value },
                }))
              }
            />
          ))}
          {left.length > 0 && (
            <p className="reason" role="note">
              This version has no {left.join(', ')}: its value is left out when this is saved.
            </p>
          )}
        </div>
        <div>
          <WhenRows form={form} {...found} onChange={change} />
          <Choice
            label="Times that were missed"
            words={missedWords}
            value={form.missed}
            onValue={(missed) => change({ missed })}
          />
          <Choice
            label="If the run before still runs"
            words={overlapWords}
            value={form.overlap}
            onValue={(overlap) => change({ overlap })}
          />
          {error && (
            <p className="fault" role="alert">
              {error}
            </p>
          )}
        </div>
      </form>
    </Dialog>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  words: Record<T, string>;
  value: T;
  onValue: (value: T) => void;
}

function Choice<T extends string>({ label, words, value, onValue }: ChoiceProps<T>) {
  return (
    <Row label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onValue(event.target.value as T)}>
          {(Object.entries(words) as [T, string][]).map(([one, word]) => (
            <option key={one} value={one}>
              {word}
            </option>
          ))}
        </select>
      )}
    </Row>
  );
}
