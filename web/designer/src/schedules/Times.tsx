import { until, when } from '../parts/format';
import { inZone } from './outcome';

/** Times to come, in the zone of their schedule. */
export function Times({ times, zone }: { times: string[]; zone: string }) {
  return (
    <ol className="times">
      {times.map((time) => (
        <li key={time}>
          <time dateTime={time} title={`here ${when(time)}`}>
            {inZone(time, zone)}
          </time>{' '}
          <span className="hint">{until(time)}</span>
        </li>
      ))}
    </ol>
  );
}
