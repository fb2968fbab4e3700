import type { ScoreTable } from './scores';

/** Models below each other, each with its scores by one protocol. */
export function ScoresView({ table }: { table: ScoreTable }) {
  return (
    <section>
      <h2>{table.title}</h2>
      <div className="table-wrap">
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">Model</th>
              {table.columns.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.name}</th>
                {row.cells.map((cell, index) => (
                  <td key={index}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="hint long">Measured by {table.protocol}.</p>
    </section>
  );
}
