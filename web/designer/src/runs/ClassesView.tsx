import { useState } from 'react';
import { worst, type ClassTable } from './classes';
import { ReliabilityPlot } from './ReliabilityPlot';
import { share } from './scores';

const most = 20;

/** Classes below each other, each with the share of it that each model recognises; then how sure the models were. */
export function ClassesView({ table }: { table: ClassTable }) {
  const [all, setAll] = useState(false);
  const rows = all ? table.rows : worst(table, most);
  return (
    <section>
      <h2>Recognised, class by class</h2>
      <div className="table-wrap">
        <table className="figures even">
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col">Images</th>
              {table.models.map((model) => (
                <th scope="col" key={model}>
                  {model}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.name}</th>
                <td>{row.images.toLocaleString()}</td>
                {row.shares.map((one, index) => (
                  <td key={index}>
                    {share(one)}
                    <span className="meter" aria-hidden>
                      <span className={index === 0 ? '' : 'after'} style={{ width: `${(one ?? 0) * 100}%` }} />
                    </span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {table.rows.length > most && (
        <p className="hint long">
          {all ? '' : `The ${most} that are recognised least. `}
          <button type="button" className="link" onClick={() => setAll(!all)}>
            {all ? `Only the ${most} that are recognised least` : `All ${table.rows.length} classes`}
          </button>
        </p>
      )}
      {table.reliability.length > 0 && (
        <>
          <h3>Accuracy against confidence</h3>
          <div className="plots">
            {table.reliability.map((one) => (
              <ReliabilityPlot key={one.model} of={one} />
            ))}
          </div>
          <p className="hint long">
            Images by how sure the model was, a circle for each of 15 bins, larger where there are more of them. Below the line
            it was surer than right; the calibration error is the mean distance from the line.
          </p>
        </>
      )}
    </section>
  );
}
