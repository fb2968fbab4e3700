import { useState } from 'react';
import { api, type Schedule } from '../api';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { go, linkTo } from '../hooks/useRoute';
import { useTicking } from '../hooks/useTicking';
import { Away } from '../parts/Away';
import { ago, until, when } from '../parts/format';
import { RoleButton } from '../parts/RoleButton';
import { inZone, isLate, outcomeOf } from './outcome';
import { ScheduleDialog } from './ScheduleDialog';

/** Everything that starts by itself: when next, and how it went last. */
export function SchedulesPage() {
  const { data, error, refresh } = useFetched(api.schedules, 'schedules');
  const [adding, setAdding] = useState(false);
  useEvents((event) => {
    if (event.type === 'schedules' || event.type === 'run') refresh();
  });
  useTicking(refresh, 30_000);
  if (error && !data) return <Away what="The list of schedules" error={error} onRetry={refresh} />;
  return (
    <main className="page" id="main" tabIndex={-1}>
      <header className="page-header">
        <h1>Schedules</h1>
        <RoleButton needs="admin" className="primary" onClick={() => setAdding(true)}>
          New schedule…
        </RoleButton>
      </header>
      {data?.length === 0 && (
        <p className="empty">
          Nothing starts by itself yet. A schedule runs a published workflow every night, every week, …
        </p>
      )}
      {data && data.length > 0 && (
        <div className="table-wrap" role="region" aria-label="Schedules" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Schedule</th>
                <th scope="col">Workflow</th>
                <th scope="col">When</th>
                <th scope="col">Next</th>
                <th scope="col">Last</th>
              </tr>
            </thead>
            <tbody>
              {data.map((schedule) => (
                <tr key={schedule.name}>
                  <th scope="row" className="long">
                    <a href={linkTo('schedules', schedule.name)}>{schedule.name}</a>
                  </th>
                  <td className="long">
                    {schedule.workflow}
                    {schedule.version && <span className="hint"> v{schedule.version}</span>}
                  </td>
                  <td>
                    <code>{schedule.cron}</code> <span className="hint">{schedule.zone}</span>
                  </td>
                  <td>
                    <Next schedule={schedule} />
                  </td>
                  <td>
                    <Last schedule={schedule} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {adding && (
        <ScheduleDialog
          taken={(data ?? []).map((one) => one.name)}
          onClose={() => setAdding(false)}
          onSaved={(name) => go('schedules', name)}
        />
      )}
    </main>
  );
}

export function Next({ schedule }: { schedule: Schedule }) {
  if (schedule.pausedAt)
    return (
      <>
        <span className="state blocked">paused</span> <span className="hint">{schedule.pauseReason}</span>
      </>
    );
  const [next] = schedule.next;
  if (next === undefined) return <span className="hint">no time comes</span>;
  if (isLate(schedule, Date.now())) return <span className="state failed">late: due {ago(next)}</span>;
  return (
    <time dateTime={next} title={`${inZone(next, schedule.zone)} ${schedule.zone}; here ${when(next)}`}>
      {until(next)}
    </time>
  );
}

function Last({ schedule: { last } }: { schedule: Schedule }) {
  if (!last) return <span className="hint">never</span>;
  const { word, state } = outcomeOf(last);
  const chip = <span className={`state ${state}`}>{word}</span>;
  return (
    <span title={last.reason}>
      {last.run ? <a href={linkTo('runs', last.run)}>{chip}</a> : chip}{' '}
      <time className="hint" dateTime={last.time} title={when(last.time)}>
        {ago(last.time)}
      </time>
    </span>
  );
}
