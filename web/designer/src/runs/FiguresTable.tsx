import type { ReactNode } from 'react';
import { kindsOf, writtenFigure, type Figures } from './results';

interface Props {
  models: { name: ReactNode; figures: Figures; key: string; rank?: number; cells?: ReactNode[] }[];
  /** What stands over the cells that are no figures. */
  columns?: string[];
}

/** Models below each other, each with its figures. */
export function FiguresTable({ models, columns = [] }: Props) {
  const kinds = kindsOf(models.map((model) => model.figures));
  const isRanked = models.some((model) => model.rank !== undefined);
  return (
    <div className="table-wrap">
      <table className="figures">
        <thead>
          <tr>
            {isRanked && <th scope="col">Rank</th>}
            <th scope="col">Model</th>
            {kinds.map(({ key, name }) => (
              <th scope="col" key={key}>
                {name[0]!.toUpperCase() + name.slice(1)}
              </th>
            ))}
            {columns.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.key}>
              {isRanked && <td>{model.rank}</td>}
              <th scope="row">{model.name}</th>
              {kinds.map((kind) => (
                <td key={kind.key}>{writtenFigure(kind, model.figures)}</td>
              ))}
              {columns.map((name, index) => (
                <td key={name}>{model.cells?.[index] ?? '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
