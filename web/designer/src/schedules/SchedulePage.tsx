import { useState } from 'react';
import { api, type Fire, type Schedule } from '../api';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { go, linkTo } from '../hooks/useRoute';
import { useTicking } from '../hooks/useTicking';
import { Away } from '../parts/Away';
import { Confirm } from '../parts/Confirm';
import { ago, when } from '../parts/format';
import { RoleButton } from '../parts/RoleButton';
import { Value } from '../runs/Value';
import { inZone, isLate, missedWords, outcomeOf, overlapWords } from './outcome';
import { ScheduleDialog } from './ScheduleDialog';
import { Next } from './SchedulesPage';
import { Times } from './Times';

const page = 100;

/** One schedule: when it fires next, and what became of every time before. */
export function SchedulePage({ name }: { name: string }) {
  const { data, error, refresh } = useFetched(async () => {
    const [schedule, history] = await Promise.all([api.schedule(name), api.scheduleHistory(name, page)]);
    return { schedule, history };
  }, `schedule ${name}`);
  const [asking, setAsking] = useState<'edit' | 'pause' | 'remove' | 'trigger'>();
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState<string>();
  useEvents((event) => {
    if (event.type === 'schedules' || event.type === 'run') refresh();
  });
  useTicking(refresh, 30_000);
  if (error && !data) return <Away what={`The schedule ${name}`} error={error} onRetry={refresh} />;
  if (!data) return <p className="page empty">Opening the schedule…</p>;
  const { schedule, history } = data;
  const close = () => setAsking(undefined);
  return (
    <main className="page" id="main" tabIndex={-1}>
      <nav className="way" aria-label="Where">
        <a href={linkTo('schedules')}>Schedules</a> /
      </nav>
      <header className="page-header">
        <h1 className="long">{name}</h1>
        <RoleButton needs="admin" onClick={() => setAsking('trigger')}>
          Start now…
        </RoleButton>
        <RoleButton needs="admin" onClick={() => setAsking('edit')}>
          Edit…
        </RoleButton>
        {!schedule.pausedAt ? (
          <RoleButton needs="admin" onClick={() => setAsking('pause')}>
            Pause…
          </RoleButton>
        ) : (
          <RoleButton
            needs="admin"
            className="primary"
            onClick={() => api.resumeSchedule(name).then(refresh, (failure: Error) => setFault(failure.message))}
          >
            Resume
          </RoleButton>
        )}
        <RoleButton needs="admin" className="danger" onClick={() => setAsking('remove')}>
          Delete…
        </RoleButton>
      </header>
      {(fault ?? error) && (
        <p className="fault" role="alert">
          {fault ?? error}
        </p>
      )}
      <div className="columns">
        <About schedule={schedule} />
        <section>
          <h2>Next times</h2>
          {(schedule.pausedAt || isLate(schedule, Date.now()) || schedule.next.length === 0) && (
            <Next schedule={schedule} />
          )}
          {schedule.pausedAt && <p className="hint">Since {when(schedule.pausedAt)}.</p>}
          <Times times={schedule.next} zone={schedule.zone} />
        </section>
      </div>
      <h2>History</h2>
      <History history={history} zone={schedule.zone} />

      {asking === 'edit' && (
        <ScheduleDialog
          schedule={schedule}
          onClose={close}
          onSaved={() => {
            close();
            refresh();
          }}
        />
      )}
      {asking === 'trigger' && (
        <Confirm
          title={`Start ${name} now?`}
          word="Start"
          onClose={close}
          onYes={() => api.triggerSchedule(name).then(refresh)}
        >
          <p>
            It runs {schedule.workflow} with the parameters of the schedule. If its run before still runs:{' '}
            {overlapWords[schedule.overlap]}.
          </p>
        </Confirm>
      )}
      {asking === 'pause' && (
        <Confirm
          title={`Pause ${name}?`}
          word="Pause"
          onClose={close}
          onYes={() => api.pauseSchedule(name, reason.trim() || undefined).then(refresh)}
        >
          <p>No time of it starts a run until it is resumed. Times that pass are not made up for.</p>
          <div className="row">
            <label htmlFor="pause-reason">Why</label>
            <input id="pause-reason" value={reason} onChange={(event) => setReason(event.target.value)} />
            <small>For whoever wonders later.</small>
          </div>
        </Confirm>
      )}
      {asking === 'remove' && (
        <Confirm
          title={`Delete ${name}?`}
          word="Delete"
          keep="Keep"
          danger
          onClose={close}
          onYes={() => api.removeSchedule(name).then(() => go('schedules'))}
        >
          <p>It starts nothing any more, and its history goes. Its runs stay.</p>
        </Confirm>
      )}
    </main>
  );
}

function About({ schedule }: { schedule: Schedule }) {
  const values = Object.entries(schedule.parameters);
  return (
    <section>
      <h2>What and when</h2>
      <dl className="results">
        <div>
          <dt>workflow</dt>
          <dd>
            {schedule.definition ? (
              <a href={linkTo('designer', schedule.definition)}>{schedule.definition}</a>
            ) : (
              schedule.workflow
            )}{' '}
            <span className="hint">
              {schedule.version
                ? `version ${schedule.version}`
                : schedule.definition
                  ? 'the version that is the latest'
                  : 'a document of its own'}
            </span>
          </dd>
        </div>
        <div>
          <dt>cron</dt>
          <dd>
            <code>{schedule.cron}</code> in {schedule.zone}
          </dd>
        </div>
        <div>
          <dt>missed times</dt>
          <dd>{missedWords[schedule.missed]}</dd>
        </div>
        <div>
          <dt>if the last one still runs</dt>
          <dd>{overlapWords[schedule.overlap]}</dd>
        </div>
        {values.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Value value={value} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function History({ history, zone }: { history: Fire[]; zone: string }) {
  if (history.length === 0) return <p className="empty">It has not fired yet.</p>;
  return (
    <div className="table-wrap" role="region" aria-label="History" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Outcome</th>
            <th scope="col">Run</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {history.map((fire) => {
            const { word, state } = outcomeOf(fire);
            return (
              <tr key={`${fire.time} ${fire.triggered}`}>
                <td>
                  <time dateTime={fire.time} title={ago(fire.time)}>
                    {inZone(fire.time, zone)}
                  </time>
                  {fire.triggered && <span className="chip after">by hand</span>}
                </td>
                <td>
                  <span className={`state ${state}`}>{word}</span>
                </td>
                <td>{fire.run ? <a href={linkTo('runs', fire.run)}>{fire.run.slice(0, 8)}</a> : '–'}</td>
                <td className="hint">{fire.reason ?? (fire.reused ? 'every stage was reused' : '')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
