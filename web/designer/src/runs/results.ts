/** What the outputs of a run say about models: before and after, and which of many are worth having. */
import type { Json } from '../graph/document';
import { size, written } from '../parts/format';
import { short } from '../charts/scale';

export interface Figures {
  /** Of a language model. */
  perplexity?: number | null;
  /** Of a classifier: more is better. */
  accuracy?: number | null;
  parameters: number;
  nonzero: number;
  bytes: number;
  /** Of a forward pass, per token or image; absent where an older version measured. */
  flops?: number | null;
}

export interface Comparison {
  protocol: string;
  dense: Figures;
  pruned: Figures;
  recovered?: Figures | null;
}

export interface Spread {
  median: number;
  lowest: number;
  highest: number;
}

/** Which speed: language models have two, classifiers one. */
export type SpeedKey = 'decode' | 'prefill' | 'images';

/** How many times as fast as the dense model, timed in turns with it. */
export type RankedSpeed = Partial<Record<SpeedKey, Spread | null>> & { pareto: boolean };

interface SpeedPair {
  dense: Spread;
  pruned: Spread;
  ratio: Spread;
}

/** Two models that were timed in turns. */
export type SpeedComparison = Partial<Record<SpeedKey, SpeedPair | null>> & {
  protocol: string;
  device: string;
  threads: number;
  /** Seconds, of classifiers. */
  batch?: { dense: Spread; pruned: Spread } | null;
};

export interface Ranked {
  rank: number;
  stage: string;
  variables: Record<string, Json>;
  pareto: boolean;
  figures: Figures;
  speed?: RankedSpeed | null;
}

export interface Ranking {
  protocol: string;
  size: string;
  models: Ranked[];
  /** How speed was measured, and which the front is of; absent where it was not. */
  speed?: { protocol: string; measure: string } | null;
}

interface Members {
  [name: string]: unknown;
}
const isObject = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
// Answers to questions have an accuracy as well, and tables of their own.
const isFigures = (value: unknown): value is Figures =>
  isObject(value) && 'bytes' in value && ('perplexity' in value || ('accuracy' in value && !('items' in value)));

export const isComparison = (value: unknown): value is Comparison =>
  isObject(value) && isFigures(value['dense']) && isFigures(value['pruned']);
export const isRanking = (value: unknown): value is Ranking =>
  isObject(value) &&
  Array.isArray(value['models']) &&
  value['models'].every((one) => isObject(one) && isFigures(one['figures']));
export const isSpeed = (value: unknown): value is SpeedComparison =>
  isObject(value) && 'threads' in value && speedColumns.some(({ key }) => isObject(value[key]));
export const isMeasurement = (value: unknown): value is Figures & { protocol: string } =>
  isFigures(value) && 'protocol' in value;

interface Outcome<T> {
  name: string;
  value: T;
  /** Of the branch that it came from. */
  variables?: Record<string, Json> | null;
}

interface Outputs {
  outputs: Record<string, Json>;
  stages: { id: string; outputs?: Record<string, Json> | null; variables?: Record<string, Json> | null }[];
}

/** Outputs of one shape, those of the run before those that only a stage has; the same result is not told twice. */
export function outputsOf<T>(run: Outputs, is: (value: unknown) => value is T): Outcome<T>[] {
  const all: Outcome<Json>[] = [
    ...Object.entries(run.outputs).map(([name, value]) => ({ name, value })),
    ...run.stages.flatMap(({ id, outputs, variables }) =>
      Object.entries(outputs ?? {}).map(([name, value]) => ({ name: `${id}.${name}`, value, variables })),
    ),
  ];
  const told = new Set<string>();
  return all.flatMap(({ value, ...rest }) => {
    const text = JSON.stringify(value);
    if (!is(value) || told.has(text)) return [];
    told.add(text);
    return [{ ...rest, value: value as T }];
  });
}

export type FigureKey = keyof Figures;

interface FigureKind {
  name: string;
  key: FigureKey;
  /** What its number is, for a picture. */
  words: string;
  write: (value: number) => string;
  /** Of all others, less is better. */
  isGain?: boolean;
}

const kinds: FigureKind[] = [
  { name: 'perplexity', key: 'perplexity', words: 'perplexity', write: (value) => `${Number(value.toPrecision(4))}` },
  {
    name: 'accuracy',
    key: 'accuracy',
    words: 'accuracy',
    write: (value) => `${Number((value * 100).toFixed(2))} %`,
    isGain: true,
  },
  { name: 'parameters', key: 'parameters', words: 'parameters', write: short },
  { name: 'not zero', key: 'nonzero', words: 'weights that are not zero', write: short },
  { name: 'size', key: 'bytes', words: 'bytes', write: size },
  { name: 'FLOPs per token', key: 'flops', words: 'FLOPs of a forward pass per token', write: short },
];

const flopsOfImages: FigureKind = {
  name: 'FLOPs per image',
  key: 'flops',
  words: 'FLOPs of a forward pass per image',
  write: short,
};

/** Those figures that any of the models has. */
export const kindsOf = (all: Figures[]): FigureKind[] => {
  const isOfImages = all.length > 0 && all.every((one) => one.accuracy != null);
  return kinds
    .filter(({ key }) => all.some((one) => one[key] != null))
    .map((kind) => (kind.key === 'flops' && isOfImages ? flopsOfImages : kind));
};

/** How bad a model is, where a picture wants less to be better: its perplexity, or the share that it gets wrong. */
export const costOf = ({ perplexity, accuracy }: Figures): number =>
  perplexity ?? (accuracy == null ? NaN : 1 - accuracy);

export const costLabel = (all: Figures[]): string =>
  all.length > 0 && all.every((one) => one.perplexity == null) ? 'share of images not recognised' : 'perplexity';

export const writtenFigure = ({ key, write }: FigureKind, figures: Figures): string => {
  const value = figures[key];
  return value == null ? '–' : write(value);
};

interface ComparisonRow {
  name: string;
  cells: { text: string; ratio?: string; share: number; better?: boolean }[];
}

/** A row for each figure, a cell for each model: its value, its ratio to the dense one, its share of the greatest. */
export function comparisonRows({ dense, pruned, recovered }: Comparison): ComparisonRow[] {
  const models = [dense, pruned, ...(recovered ? [recovered] : [])];
  return kindsOf(models).map((kind) => {
    const values = models.map((one) => one[kind.key] ?? undefined);
    const most = Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE);
    const [first] = values;
    return {
      name: kind.name,
      cells: models.map((one, index) => {
        const value = values[index];
        const cell = { text: writtenFigure(kind, one), share: (value ?? 0) / most };
        return index > 0 && first && value !== undefined
          ? {
              ...cell,
              ratio: kind.isGain ? points(value - first) : ratio(value / first),
              better: value === first ? undefined : value > first === (kind.isGain ?? false),
            }
          : cell;
      }),
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

/** Shares differ by points, not by percents of each other. */
function points(difference: number): string {
  const written = Number((difference * 100).toFixed(2));
  return written === 0 ? 'the same' : `${written > 0 ? '+' : '−'}${Math.abs(written)} points`;
}

/** The values of a matrix, words before numbers: `wanda` at 0.5. */
export const valuesOf = (variables: Record<string, Json> | null | undefined): [string, Json][] =>
  Object.entries(variables ?? {})
    // How many rounds there are is no difference between them.
    .filter(([name]) => name !== 'rounds')
    .sort(([, a], [, b]) => Number(typeof b === 'string') - Number(typeof a === 'string'));

export const variablesText = (variables: Record<string, Json> | null | undefined): string =>
  valuesOf(variables)
    .map(([name, value]) => `${name} ${written(value)}`)
    .join(', ');

/** What others are compared with: the dense model, outside of every matrix. */
export const isReference = ({ stage, variables }: Pick<Ranked, 'stage' | 'variables'>): boolean =>
  valuesOf(variables).length === 0 && /(^|-)dense$/.test(stage);

/** The figure that a ranking counts size in. */
export const sizeKind = ({ size: key }: Pick<Ranking, 'size'>): FigureKind =>
  kinds.find((kind) => kind.key === key.toLowerCase()) ?? kinds.find((kind) => kind.key === 'bytes')!;

interface SpeedColumn {
  key: SpeedKey;
  name: string;
  /** How a picture calls it. */
  words: string;
  /** What is counted. */
  rate: string;
}

const speedColumns: SpeedColumn[] = [
  { key: 'decode', name: 'Decode', words: 'speed of decoding, dense = 1', rate: 'Decode, tokens per second' },
  { key: 'prefill', name: 'Prefill', words: 'speed at a prompt, dense = 1', rate: 'Prefill, tokens per second' },
  { key: 'images', name: 'Images', words: 'speed at images, dense = 1', rate: 'Images per second' },
];

/** Those speeds that any of them has. */
export const speedsOf = (all: (Partial<Record<SpeedKey, unknown>> | null | undefined)[]): SpeedColumn[] =>
  speedColumns.filter(({ key }) => all.some((one) => one?.[key] != null));

/** The speed that a ranking's front is of: how a picture calls it, and where it is. */
export const speedKind = ({ speed }: Pick<Ranking, 'speed'>): SpeedColumn | undefined =>
  speed ? (speedColumns.find(({ key }) => key === speed.measure.toLowerCase()) ?? speedColumns[0]) : undefined;
