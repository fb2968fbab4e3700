import { Scatter } from '../charts/Scatter';
import { written } from '../parts/format';
import { FiguresTable } from './FiguresTable';
import { costLabel, costOf, sizeKind, variablesText, type Ranking } from './results';

/** Many models, the best first, and as a picture which of them are worth having. */
export function RankingView({ ranking }: { ranking: Ranking }) {
  const { key, words } = sizeKind(ranking);
  return (
    <div className="ranking">
      <Scatter
        sizeLabel={words}
        costLabel={costLabel(ranking.models.map((model) => model.figures))}
        dots={ranking.models.map((model) => ({
          label: Object.values(model.variables).map(written).join(' ') || model.stage,
          size: model.figures[key] ?? 0,
          cost: costOf(model.figures),
        }))}
      />
      <FiguresTable
        models={ranking.models.map((model) => ({
          key: model.stage,
          rank: model.rank,
          figures: model.figures,
          name: (
            <>
              {variablesText(model.variables) || model.stage}
              {model.pareto && (
                <span className="chip good" title="No other is both as small and as good">
                  on the front
                </span>
              )}
            </>
          ),
        }))}
      />
      <p className="hint long">Measured by {ranking.protocol}.</p>
    </div>
  );
}
