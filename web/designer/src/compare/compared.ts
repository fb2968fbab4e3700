/** Several runs side by side. */
import type { ComparedRun, ComparedStage } from '../api';
import type { Dot } from '../charts/Scatter';
import { duration, size, written } from '../parts/format';
import { artifactsIn, type ArtifactName } from '../runs/artifacts';
import { nodeOf } from '../runs/branches';
import { measured } from '../runs/measured';
import {
  costLabel,
  costOf,
  isComparison,
  isMeasurement,
  isRanking,
  kindsOf,
  outputsOf,
  variablesText,
  type FigureKey,
} from '../runs/results';

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

/** Whether a run has stages of several branches or rounds. */
export const hasBranches = (runs: ComparedRun[]): boolean =>
  runs.some((run) => run.stages.some((stage) => nodeOf(stage.id) !== stage.id.replaceAll('.', '/')));

// The branches of two runs are the same where their values are, whatever number they have.
const branchName = ({ id, variables }: ComparedStage): string => {
  const values = variablesText(variables);
  return values === '' ? id : `${nodeOf(id)} (${values})`;
};

/** How long each stage took; the branches of a matrix are one row, their times together, unless each is asked for. */
export function timeRows(runs: ComparedRun[], each = false): Row[] {
  const times = runs.map((run) => {
    const all: Record<string, { seconds: number; reused: boolean; state: string }> = {};
    for (const stage of run.stages) {
      const name = each ? branchName(stage) : nodeOf(stage.id);
      const known = all[name];
      all[name] = {
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

/** What was measured of each model, to the last digit: runs that differ are not to look the same. */
export function metricRows(runs: ComparedRun[]): Row[] {
  const all = runs.map((run) => new Map(measured(run).map((one) => [one.label, one.figures])));
  const labels = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return labels.flatMap((label) =>
    kindsOf(all.flatMap((one) => one.get(label) ?? [])).map(({ name, key }) =>
      row(
        `${label}: ${name}`,
        all.map((one) => exact(key, one.get(label)?.[key])),
      ),
    ),
  );
}

function exact(key: FigureKey, value: number | null | undefined): string {
  if (value == null) return nothing;
  if (key === 'perplexity' || key === 'accuracy') return `${Number(value.toPrecision(5))}`;
  return key === 'bytes' ? size(value) : value.toLocaleString('en');
}

/** Size against quality of all models of all runs; a dense model that several measured is there once. */
export function dotsOf(runs: ComparedRun[], sizeKey: FigureKey): Dot[] {
  const seen = new Set<string>();
  return runs.flatMap((run, index) =>
    measured(run).flatMap(({ label, mark = label, figures, reference }) => {
      const counted = figures[sizeKey];
      if (counted == null) return [];
      const dot: Dot = {
        label: reference || runs.length === 1 ? mark : `${letter(index)} ${mark}`,
        size: counted,
        cost: costOf(figures),
        ...(reference ? { reference } : {}),
      };
      const key = `${dot.label} ${dot.size} ${dot.cost}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [dot];
    }),
  );
}

/** What the pictures' height is. */
export const costsOf = (runs: ComparedRun[]): string =>
  costLabel(runs.flatMap((run) => measured(run).map((one) => one.figures)));

/** What size can be counted in: whatever but quality itself was measured of any model. */
export const sizesOf = (runs: ComparedRun[]): ReturnType<typeof kindsOf> =>
  kindsOf(runs.flatMap((run) => measured(run).map((one) => one.figures))).filter(
    ({ key }) => key !== 'perplexity' && key !== 'accuracy',
  );

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
