/** What the outputs of a run say about models: before and after, and which of many are worth having. */
import type { Json } from '../graph/document';
import { size, written } from '../parts/format';
import { short } from '../charts/scale';

export interface Figures {
  perplexity: number;
  parameters: number;
  nonzero: number;
  bytes: number;
}

export interface Comparison {
  protocol: string;
  dense: Figures;
  pruned: Figures;
  recovered?: Figures | null;
}

export interface Ranked {
  rank: number;
  stage: string;
  variables: Record<string, Json>;
  pareto: boolean;
  figures: Figures;
}

export interface Ranking {
  protocol: string;
  size: string;
  models: Ranked[];
}

interface Members {
  [name: string]: unknown;
}
const isObject = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isFigures = (value: unknown): value is Figures => isObject(value) && 'perplexity' in value && 'bytes' in value;

export const isComparison = (value: unknown): value is Comparison =>
  isObject(value) && isFigures(value['dense']) && isFigures(value['pruned']);
export const isRanking = (value: unknown): value is Ranking =>
  isObject(value) &&
  Array.isArray(value['models']) &&
  value['models'].every((one) => isObject(one) && isFigures(one['figures']));
export const isMeasurement = (value: unknown): value is Figures & { protocol: string } =>
  isFigures(value) && 'protocol' in value;

interface Outcome<T> {
  name: string;
  value: T;
}

/** Outputs of one shape, those of the run before those that only a stage has; the same result is not told twice. */
export function outputsOf<T>(
  run: { outputs: Record<string, Json>; stages: { id: string; outputs?: Record<string, Json> | null }[] },
  is: (value: unknown) => value is T,
): Outcome<T>[] {
  const all = [
    ...Object.entries(run.outputs),
    ...run.stages.flatMap((stage) =>
      Object.entries(stage.outputs ?? {}).map(([name, value]): [string, Json] => [`${stage.id}.${name}`, value]),
    ),
  ];
  const told = new Set<string>();
  return all.flatMap(([name, value]) => {
    const text = JSON.stringify(value);
    if (!is(value) || told.has(text)) return [];
    told.add(text);
    return [{ name, value: value as T }];
  });
}

interface ComparisonRow {
  name: string;
  cells: { text: string; ratio?: string; share: number; better?: boolean }[];
}

const rows: [string, keyof Figures, (value: number) => string][] = [
  ['perplexity', 'perplexity', (value) => `${Number(value.toPrecision(4))}`],
  ['parameters', 'parameters', short],
  ['not zero', 'nonzero', short],
  ['size', 'bytes', size],
];

/** A row for each figure, a cell for each model: its value, its ratio to the dense one, its share of the greatest. */
export function comparisonRows({ dense, pruned, recovered }: Comparison): ComparisonRow[] {
  const models = [dense, pruned, ...(recovered ? [recovered] : [])];
  return rows.map(([name, key, write]) => {
    const most = Math.max(...models.map((one) => one[key]), Number.MIN_VALUE);
    return {
      name,
      cells: models.map((one, index) => ({
        text: write(one[key]),
        share: one[key] / most,
        ...(index > 0 && dense[key] > 0
          ? { ratio: ratio(one[key] / dense[key]), better: one[key] === dense[key] ? undefined : one[key] < dense[key] }
          : {}),
      })),
    };
  });
}

/** 1.25 as `+25 %`, 0.5 as `−50 %`; far away as a factor. */
export function ratio(factor: number): string {
  if (!Number.isFinite(factor)) return '–';
  if (factor >= 10) return `${Number(factor.toPrecision(3))}×`;
  const percent = (factor - 1) * 100;
  const written = Math.abs(percent) < 10 ? Number(percent.toFixed(1)) : Math.round(percent);
  return written === 0 ? 'the same' : `${written > 0 ? '+' : '−'}${Math.abs(written)} %`;
}

export const variablesText = (variables: Record<string, Json> | null | undefined): string =>
  Object.entries(variables ?? {})
    .map(([name, value]) => `${name} ${written(value)}`)
    .join(', ');

/** The figure that a ranking counts size in. */
export function sizeOf(ranking: Pick<Ranking, 'size'>, figures: Figures): number {
  const key = ranking.size.toLowerCase();
  return figures[key in figures ? (key as keyof Figures) : 'bytes'];
}
