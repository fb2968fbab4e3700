import { useState } from 'react';
import { api, type MissedPolicy, type OverlapPolicy } from '../api';
import { Row } from '../designer/FieldRow';
import { ValueRow } from '../dialogs/ValueRow';
import type { Json } from '../graph/document';
import { useFetched } from '../hooks/useFetched';
import { Dialog } from '../parts/Dialog';
import { missedWords, overlapWords, partNames, partsOf } from './outcome';
import { Times } from './SchedulePage';
import { useTimes } from './useTimes';

interface Props {
  taken: string[];
  onClose: () => void;
  onAdded: (name: string) => void;
}

const presets = [
  ['every night', '30 2 * * *'],
  ['weekdays', '0 6 * * 1-5'],
  ['every week', '0 4 * * 1'],
  ['every month', '0 3 1 * *'],
  ['every hour', '0 * * * *'],
] as const;
const zones: string[] = ['UTC', ...Intl.supportedValuesOf('timeZone')];

/** A new schedule; when it will fire is shown before it is saved. */
export function NewScheduleDialog({ taken, onClose, onAdded }: Props) {
  const { data: definitions } = useFetched(api.definitions, 'definitions');
  const published = (definitions ?? []).filter((one) => one.published !== null);
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string>();
  const [version, setVersion] = useState<number>();
  const [cron, setCron] = useState<string>(presets[0][1]);
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');
  const [missed, setMissed] = useState<MissedPolicy>('once');
  const [overlap, setOverlap] = useState<OverlapPolicy>('skip');
  const [values, setValues] = useState<Record<string, Json>>({});
  const [error, setError] = useState<string>();
  const definition = chosen ?? published[0]?.name;
  const latest = published.find((one) => one.name === definition)?.published ?? undefined;
  const shown = version ?? latest;
  const { data: document } = useFetched(
    async () => (definition && shown ? await api.version(definition, shown) : undefined),
    `version ${definition} ${shown}`,
  );
  const { times, fault } = useTimes(cron, zone);
  const nameFault =
    name !== '' && !/^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(name)
      ? "a letter, then letters, digits, '-', '_' and '.', 64 at most"
      : taken.includes(name)
        ? `there is a schedule '${name}' already`
        : undefined;
  const ready = definition !== undefined && name !== '' && !nameFault && times !== undefined && !fault;

  const save = () =>
    api
      .createSchedule({
        name,
        cron,
        zone,
        missed,
        overlap,
        definition,
        ...(version === undefined ? {} : { version }),
        ...(Object.keys(values).length > 0 ? { parameters: values } : {}),
      })
      .then(
        () => onAdded(name),
        (failure: Error) => setError(failure.message),
      );
  return (
    <Dialog
      title="New schedule"
      onClose={onClose}
      wide
      actions={
        <>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" form="new-schedule" className="primary" disabled={!ready}>
            Add the schedule
          </button>
        </>
      }
    >
      <form
        id="new-schedule"
        className="columns"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void save();
        }}
      >
        <div>
          <Row label="Name" error={nameFault}>
            {(id, hint) => (
              <input id={id} aria-describedby={hint} value={name} onChange={(event) => setName(event.target.value)} />
            )}
          </Row>
          <Row
            label="Workflow"
            hint={
              published.length === 0
                ? 'Only a published workflow can be scheduled: publish one in the designer.'
                : undefined
            }
          >
            {(id, hint) => (
              <select
                id={id}
                aria-describedby={hint}
                value={definition ?? ''}
                onChange={(event) => {
                  setChosen(event.target.value);
                  setVersion(undefined);
                  setValues({});
                }}
              >
                {published.map((one) => (
                  <option key={one.name}>{one.name}</option>
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
                  onChange={(event) => setVersion(event.target.value === '' ? undefined : Number(event.target.value))}
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
          {Object.entries(document?.parameters ?? {}).map(([parameter, one]) => (
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
                setValues(({ [parameter]: _, ...rest }) =>
                  value === undefined ? rest : { ...rest, [parameter]: value },
                )
              }
            />
          ))}
        </div>
        <div>
          <Row
            label="Cron"
            hint="minute hour day month weekday"
            error={fault?.field === 'cron' ? fault.detail : undefined}
          >
            {(id, hint) => (
              <input
                id={id}
                aria-describedby={hint}
                aria-invalid={fault?.field === 'cron' || undefined}
                value={cron}
                spellCheck={false}
                onChange={(event) => setCron(event.target.value)}
              />
            )}
          </Row>
          {fault?.field === 'cron' && fault.part !== undefined && <WrongPart cron={cron} part={fault.part} />}
          <div className="buttons">
            {presets.map(([label, text]) => (
              <button
                key={text}
                type="button"
                className="small"
                aria-pressed={cron === text}
                onClick={() => setCron(text)}
              >
                {label}
              </button>
            ))}
          </div>
          <Row label="Time zone" error={fault?.field === 'zone' ? fault.detail : undefined}>
            {(id, hint) => (
              <>
                <input
                  id={id}
                  list={`${id}-zones`}
                  aria-describedby={hint}
                  aria-invalid={fault?.field === 'zone' || undefined}
                  value={zone}
                  onChange={(event) => setZone(event.target.value)}
                />
                <datalist id={`${id}-zones`}>
                  {zones.map((one) => (
                    <option key={one} value={one} />
                  ))}
                </datalist>
              </>
            )}
          </Row>
          <section aria-live="polite">
            <h3>It will fire</h3>
            {times ? <Times times={times} zone={zone} /> : <p className="hint">{fault ? 'at no time yet' : '…'}</p>}
          </section>
          <Choice label="Times that were missed" words={missedWords} value={missed} onValue={setMissed} />
          <Choice label="If the run before still runs" words={overlapWords} value={overlap} onValue={setOverlap} />
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

function WrongPart({ cron, part }: { cron: string; part: number }) {
  return (
    <p className="cron-parts">
      {partsOf(cron).map((text, index) => (
        <code key={index} className={index === part ? 'wrong' : ''}>
          {text}
        </code>
      ))}{' '}
      <span className="hint">the {partNames[part] ?? 'last part'}</span>
    </p>
  );
}
