import { comparisonRows, type Comparison } from './results';

/** Before and after, figure by figure. */
export function ComparisonTable({ comparison }: { comparison: Comparison }) {
  const { dense } = comparison;
  const names = ['dense', 'pruned', ...(comparison.recovered ? ['recovered'] : [])];
  return (
    <>
      <div className="table-wrap">
        <table className="figures even">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              {names.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {comparisonRows(comparison).map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.name}</th>
                {row.cells.map((cell, index) => (
                  <td key={index}>
                    <strong>{cell.text}</strong>{' '}
                    {cell.ratio && (
                      <span className={cell.better === undefined ? 'hint' : cell.better ? 'better' : 'worse'}>
                        {cell.ratio}
                      </span>
                    )}
                    <span className="meter" aria-hidden>
                      <span
                        style={{ width: `${Math.max(1, cell.share * 100)}%` }}
                        className={index === 0 ? '' : 'after'}
                      />
                    </span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="hint long">
        Measured by {comparison.protocol}. Less is better in every row{dense.accuracy == null ? '' : ' but the first'}.
      </p>
    </>
  );
}
