/** What classifiers were measured at class by class, and how sure they were. */
import { nameOf, type Run } from './scores';

interface ClassScore {
  name: string;
  images: number;
  right: number;
}

interface ConfidenceBin {
  images: number;
  right: number;
  confidence?: number | null;
}

interface Scores {
  protocol: string;
  calibrationError: number;
  classes: ClassScore[];
  /** Absent where an older version measured. */
  confidences?: ConfidenceBin[] | null;
}

export interface ClassTable {
  protocol: string;
  models: string[];
  /** Classes in their order; of each model the share that it recognises. */
  rows: { name: string; images: number; shares: (number | undefined)[] }[];
  reliability: Reliability[];
}

export interface Reliability {
  model: string;
  calibrationError: number;
  /** By how much it is surer than it is right, in all; below 0 it is less sure. */
  surplus: number;
  /** Those that are not empty: how sure, how often right, which share of all images. */
  bins: { confidence: number; accuracy: number; share: number }[];
}

const isScores = (value: unknown): value is Scores =>
  value !== null &&
  typeof value === 'object' &&
  'classes' in value &&
  'calibrationError' in value &&
  Array.isArray(value.classes);

/** A table for each protocol, a column for each stage that measured by it; the images of a protocol are the same. */
export function classTables(run: Run): ClassTable[] {
  const tables = new Map<string, ClassTable>();
  for (const stage of run.stages)
    for (const value of Object.values(stage.outputs ?? {})) {
      if (!isScores(value)) continue;
      const scores: Scores = value;
      const table = tables.get(scores.protocol) ?? {
        protocol: scores.protocol,
        models: [],
        rows: scores.classes.map(({ name, images }) => ({ name, images, shares: [] })),
        reliability: [],
      };
      tables.set(scores.protocol, table);
      table.models.push(nameOf(stage));
      table.rows.forEach((row, index) => row.shares.push(share(scores.classes[index])));
      table.reliability.push(...reliability(nameOf(stage), scores));
    }
  return [...tables.values()];
}

const share = (one: ClassScore | undefined): number | undefined =>
  one && one.images > 0 ? one.right / one.images : undefined;

function reliability(model: string, { calibrationError, confidences }: Scores): Reliability[] {
  const filled = (confidences ?? []).filter(({ images }) => images > 0);
  const all = filled.reduce((sum, { images }) => sum + images, 0);
  if (all === 0) return [];
  return [
    {
      model,
      calibrationError,
      surplus: filled.reduce((sum, bin) => sum + (bin.confidence ?? 0) * bin.images - bin.right, 0) / all,
      bins: filled.map((bin) => ({
        confidence: bin.confidence ?? 0,
        accuracy: bin.right / bin.images,
        share: bin.images / all,
      })),
    },
  ];
}

/** Of many classes those that any model recognises least, in the order that they have. */
export function worst(table: ClassTable, most: number): ClassTable['rows'] {
  if (table.rows.length <= most) return table.rows;
  const least = (row: ClassTable['rows'][number]): number => Math.min(...row.shares.map((one) => one ?? 1));
  const chosen = new Set([...table.rows].sort((a, b) => least(a) - least(b)).slice(0, most));
  return table.rows.filter((row) => chosen.has(row));
}

/** A model that is surer than right says too much of itself. */
export function surety({ surplus }: Reliability): string {
  const points = Math.abs(surplus * 100).toFixed(1);
  if (points === '0.0') return 'as sure as it is right';
  return surplus > 0 ? `surer than it is right, by ${points} points` : `less sure than it is right, by ${points} points`;
}
