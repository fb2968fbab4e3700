import { Scatter } from '../charts/Scatter';
import { short } from '../charts/scale';
import { size, written } from '../parts/format';
import { sizeOf, variablesText, type Ranking } from './results';

const words: Record<string, string> = {
  parameters: 'parameters',
  nonzero: 'weights that are not zero',
  bytes: 'bytes',
};

/** Many models, the best first, and as a picture which of them are worth having. */
export function RankingView({ ranking }: { ranking: Ranking }) {
  const label = words[ranking.size.toLowerCase()] ?? ranking.size;
  return (
    <div className="ranking">
      <Scatter
        sizeLabel={label}
        costLabel="perplexity"
        dots={ranking.models.map((model) => ({
          label: Object.values(model.variables).map(written).join(' ') || model.stage,
          size: sizeOf(ranking, model.figures),
          cost: model.figures.perplexity,
        }))}
      />
      <div className="table-wrap">
        <table className="figures">
          <thead>
            <tr>
              {['Rank', 'Model', 'Perplexity', 'Parameters', 'Not zero', 'Size'].map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ranking.models.map((model) => (
              <tr key={model.stage}>
                <td>{model.rank}</td>
                <th scope="row">
                  {variablesText(model.variables) || model.stage}
                  {model.pareto && (
                    <span className="chip good" title="No other is both as small and as good">
                      on the front
                    </span>
                  )}
                </th>
                <td>{Number(model.figures.perplexity.toPrecision(4))}</td>
                <td>{short(model.figures.parameters)}</td>
                <td>{short(model.figures.nonzero)}</td>
                <td>{size(model.figures.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="hint">Measured by {ranking.protocol}.</p>
    </div>
  );
}
