import { speedsOf, type SpeedComparison, type Spread } from './results';
import { SpeedRatio } from './SpeedRatio';

/** Two models that were timed in turns: the middle of the rounds, and how far they lie apart. */
export function SpeedView({ speed }: { speed: SpeedComparison }) {
  return (
    <>
      <div className="table-wrap">
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Dense</th>
              <th scope="col">Pruned</th>
              <th scope="col">Times as fast</th>
            </tr>
          </thead>
          <tbody>
            {speedsOf([speed]).map(({ key, rate }) => (
              <tr key={key}>
                <th scope="row">{rate}</th>
                <td>{middle(speed[key]!.dense)}</td>
                <td>{middle(speed[key]!.pruned)}</td>
                <td>
                  <SpeedRatio spread={speed[key]!.ratio} />
                </td>
              </tr>
            ))}
            {speed.batch && (
              <tr>
                <th scope="row">A batch, milliseconds</th>
                <td>{middle(speed.batch.dense, 1e3)}</td>
                <td>{middle(speed.batch.pruned, 1e3)}</td>
                <td />
              </tr>
            )}
          </tbody>
        </table>
      </div>
      <p className="hint long">
        Medians of the rounds, the ratio with its slowest and fastest round. Measured by {speed.protocol}.
      </p>
    </>
  );
}

const middle = ({ median }: Spread, times = 1): string => Number((median * times).toPrecision(4)).toLocaleString();
