import { Row } from '../designer/FieldRow';
import { presets, type ScheduleForm } from './form';
import { partNames, partsOf } from './outcome';
import { Times } from './Times';
import type { Times as Found } from './useTimes';

const zones: string[] = ['UTC', ...Intl.supportedValuesOf('timeZone')];

interface Props extends Found {
  form: ScheduleForm;
  onChange: (change: Partial<ScheduleForm>) => void;
}

/** When it fires: a cron, its zone, and the times that come of them. */
export function WhenRows({ form: { cron, zone }, times, fault, onChange }: Props) {
  return (
    <>
      <Row label="Cron" hint="minute hour day month weekday" error={fault?.field === 'cron' ? fault.detail : undefined}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            aria-invalid={fault?.field === 'cron' || undefined}
            value={cron}
            spellCheck={false}
            onChange={(event) => onChange({ cron: event.target.value })}
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
            onClick={() => onChange({ cron: text })}
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
              onChange={(event) => onChange({ zone: event.target.value })}
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
    </>
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
