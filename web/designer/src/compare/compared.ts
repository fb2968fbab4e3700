/** Several runs side by side. */
import type { ComparedRun } from '../api';
import type { Dot } from '../charts/Scatter';
import type { Json } from '../graph/document';
import { duration, size, written } from '../parts/format';
import { artifactsIn, type ArtifactName } from '../runs/artifacts';
import { nodeOf } from '../runs/branches';
import { isComparison, isMeasurement, isRanking, outputsOf, variablesText, type Figures } from '../runs/results';

export interface Row {
  name: string;
  cells: string[];
  /** Whether the runs differ in it. */
  differs: boolean;
  /** Whether two of them have it and differ: what is missing in all others is no contrast. */
  contrast: boolean;
}

const nothing = '–';

const row = (name: string, cells: string[]): Row => ({
  name,
  cells,
  differs: new Set(cells).size > 1,
  contrast: new Set(cells.filter((cell) => cell !== nothing)).size > 1,
});
const namesOf = (all: Record<string, unknown>[]): string[] => [...new Set(all.flatMap((one) => Object.keys(one)))];

/** Every parameter that any of them has; those that differ come first. */
export function parameterRows(runs: ComparedRun[]): Row[] {
  const rows = namesOf(runs.map((run) => run.parameters)).map((name) =>
    row(
      name,
      runs.map((run) => written(run.parameters[name])),
    ),
  );
  return [...rows.filter((one) => one.differs), ...rows.filter((one) => !one.differs)];
}

/** How long each stage took; the branches of a matrix are one row, their times together. */
export function timeRows(runs: ComparedRun[]): Row[] {
  const times = runs.map((run) => {
    const all: Record<string, { seconds: number; reused: boolean; state: string }> = {};
    for (const stage of run.stages) {
      const known = all[nodeOf(stage.id)];
      all[nodeOf(stage.id)] = {
        seconds: (known?.seconds ?? 0) + (stage.seconds ?? 0),
        reused: (known?.reused ?? true) && stage.reused,
        state: stage.state === 'succeeded' && known ? known.state : stage.state,
      };
    }
    return all;
  });
  return [
    row(
      'the whole run',
      runs.map((run) => (run.seconds == null ? nothing : duration(run.seconds))),
    ),
    ...namesOf(times).map((name) =>
      row(
        name,
        times.map((one) => {
          const time = one[name];
          if (!time) return nothing;
          if (time.reused) return 'reused';
          return time.seconds > 0 ? duration(time.seconds) : time.state;
        }),
      ),
    ),
  ];
}

interface Measured {
  label: string;
  /** The label, where a picture has little room. */
  mark?: string;
  figures: Figures;
  reference?: boolean;
}

const markOf = (variables: Record<string, Json> | null | undefined): { mark?: string } => {
  const mark = Object.values(variables ?? {})
    .map(written)
    .join(' ');
  return mark === '' ? {} : { mark };
};

/** Every model that a run measured, by a name of its own. */
function measured(run: ComparedRun): Measured[] {
  const comparisons = outputsOf(run, isComparison).flatMap(({ value }) => [
    { label: 'dense', figures: value.dense, reference: true },
    { label: 'pruned', figures: value.pruned },
    ...(value.recovered ? [{ label: 'recovered', figures: value.recovered }] : []),
  ]);
  const rankings = outputsOf(run, isRanking).flatMap(({ value }) =>
    value.models.map((model) => ({
      label: variablesText(model.variables) || model.stage,
      ...markOf(model.variables),
      figures: model.figures,
    })),
  );
  if (comparisons.length + rankings.length > 0) return [...comparisons, ...rankings];
  return run.stages.flatMap((stage) =>
    outputsOf({ outputs: stage.outputs ?? {}, stages: [] }, isMeasurement).map(({ value }) => ({
      label: variablesText(stage.variables) || stage.id,
      ...markOf(stage.variables),
      figures: value,
      ...(/dense/.test(stage.id) ? { reference: true } : {}),
    })),
  );
}

export function metricRows(runs: ComparedRun[]): Row[] {
  const all = runs.map((run) => new Map(measured(run).map((one) => [one.label, one.figures])));
  const labels = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return labels.flatMap((label) => {
    const cells = (write: (figures: Figures) => string) =>
      all.map((one) => {
        const figures = one.get(label);
        return figures ? write(figures) : nothing;
      });
    return [
      row(
        `${label}: perplexity`,
        cells(({ perplexity }) => `${Number(perplexity.toPrecision(5))}`),
      ),
      row(
        `${label}: not zero`,
        cells(({ nonzero }) => nonzero.toLocaleString('en')),
      ),
      row(
        `${label}: size`,
        cells(({ bytes }) => size(bytes)),
      ),
    ];
  });
}

/** Size against quality of all models of all runs; a dense model that several measured is there once. */
export function dotsOf(runs: ComparedRun[], sizeKey: 'nonzero' | 'parameters' | 'bytes'): Dot[] {
  const seen = new Set<string>();
  return runs.flatMap((run, index) =>
    measured(run).flatMap(({ label, mark = label, figures, reference }) => {
      const dot: Dot = {
        label: reference || runs.length === 1 ? mark : `${letter(index)} ${mark}`,
        size: figures[sizeKey],
        cost: figures.perplexity,
        ...(reference ? { reference } : {}),
      };
      const key = `${dot.label} ${dot.size} ${dot.cost}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [dot];
    }),
  );
}

/** A, B, C: how the runs are called in pictures. */
export const letter = (index: number): string => String.fromCharCode(65 + (index % 26));

/** Which protocols the figures were measured by; numbers of different ones are not compared. */
export const protocolsOf = (runs: ComparedRun[]): string[] => [
  ...new Set(
    runs.flatMap((run) =>
      [...outputsOf(run, isComparison), ...outputsOf(run, isRanking), ...outputsOf(run, isMeasurement)].map(
        ({ value }) => value.protocol,
      ),
    ),
  ),
];

/** The artifacts among the outputs of each run, by the name of the output. */
export function artifactRows(
  runs: ComparedRun[],
): { name: string; cells: (ArtifactName | undefined)[]; differs: boolean }[] {
  const all = runs.map(
    (run) =>
      new Map(
        Object.entries(run.outputs)
          .flatMap(([name, value]) => artifactsIn(value, name))
          .map((one) => [one.name, one]),
      ),
  );
  return [...new Set(all.flatMap((one) => [...one.keys()]))].map((name) => {
    const cells = all.map((one) => one.get(name));
    return { name, cells, differs: new Set(cells.map((one) => one?.hash)).size > 1 };
  });
}
