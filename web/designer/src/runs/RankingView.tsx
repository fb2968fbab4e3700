import { Scatter } from '../charts/Scatter';
import { written } from '../parts/format';
import { FiguresTable } from './FiguresTable';
import {
  costLabel,
  costOf,
  isReference,
  sizeKind,
  speedKind,
  speedsOf,
  valuesOf,
  variablesText,
  type Ranked,
  type Ranking,
} from './results';
import { SpeedRatio } from './SpeedRatio';

/** Many models, the best first, and as pictures which of them are worth their size and their speed. */
export function RankingView({ ranking }: { ranking: Ranking }) {
  const { key, words } = sizeKind(ranking);
  const speed = speedKind(ranking);
  const speeds = speedsOf(ranking.models.map((model) => model.speed));
  const cost = costLabel(ranking.models.map((model) => model.figures));
  const dot = (model: Ranked, size: number) => ({
    label: isReference(model)
      ? 'dense'
      : valuesOf(model.variables)
          .map(([, value]) => written(value))
          .join(' ') || model.stage,
    ...(isReference(model) ? { reference: true } : {}),
    size,
    cost: costOf(model.figures),
  });
  return (
    <div className="ranking">
      <div className={speed ? 'fronts' : ''}>
        <Scatter
          sizeLabel={words}
          costLabel={cost}
          dots={ranking.models.map((model) => dot(model, model.figures[key] ?? 0))}
        />
        {speed && (
          <Scatter
            sizeLabel={speed.words}
            costLabel={cost}
            moreIsBetter
            dots={ranking.models.flatMap((model) => {
              const times = model.speed?.[speed.key];
              return times ? [dot(model, times.median)] : [];
            })}
          />
        )}
      </div>
      <FiguresTable
        columns={speeds.map(({ name }) => name)}
        models={ranking.models.map((model) => ({
          key: model.stage,
          rank: model.rank,
          figures: model.figures,
          cells: speeds.map(({ key }) => <SpeedRatio spread={model.speed?.[key]} />),
          name: (
            <>
              {variablesText(model.variables) || model.stage}
              {model.pareto && (
                <span className="chip good" title="No other is both as small and as good">
                  {speed ? 'size' : 'on the front'}
                </span>
              )}
              {model.speed?.pareto && (
                <span className="chip good" title="No other is both as fast and as good">
                  speed
                </span>
              )}
            </>
          ),
        }))}
      />
      <p className="hint long">
        Measured by {ranking.protocol}
        {ranking.speed && `, and by ${ranking.speed.protocol}: medians of the rounds, with the slowest and the fastest`}.
      </p>
    </div>
  );
}
