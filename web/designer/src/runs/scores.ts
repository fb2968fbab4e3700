/** What models were asked besides their perplexity: questions, and whether they say a text by heart. */
import type { Json } from '../graph/document';
import { nodeOf } from './branches';
import { variablesText } from './results';

interface Stage {
  id: string;
  outputs?: Record<string, Json> | null;
  variables?: Record<string, Json> | null;
}

export interface Run {
  stages: Stage[];
}

export interface ScoreTable {
  title: string;
  protocol: string;
  columns: string[];
  rows: { name: string; cells: string[] }[];
}

interface Measured {
  [name: string]: unknown;
  protocol: string;
}

interface Kind {
  title: string;
  /** How its protocols begin. */
  protocol: string;
  /** What tells it from other results of the protocol. */
  has?: string;
  /** Columns; a share may have a standard error, and a key lead into what is nested. */
  columns: { name: string; key: string; error?: string; isCount?: boolean }[];
}

const kinds: Kind[] = [
  {
    title: 'Multiple choice',
    protocol: 'choice-',
    columns: [
      { name: 'Right', key: 'accuracy', error: 'standardError' },
      { name: 'Right, by likelihood per character', key: 'normalizedAccuracy', error: 'normalizedStandardError' },
      { name: 'Questions', key: 'items', isCount: true },
    ],
  },
  {
    title: 'Recognised',
    protocol: 'accuracy-',
    has: 'top1',
    columns: [
      { name: 'First', key: 'top1' },
      { name: 'Among five', key: 'top5' },
      { name: 'Calibration error', key: 'calibrationError' },
      { name: 'Cross-entropy', key: 'loss', isCount: true },
      { name: 'Images', key: 'images', isCount: true },
    ],
  },
  {
    title: 'Looks at the same places',
    protocol: 'explanations-',
    columns: [
      { name: 'Cosine', key: 'cosine', error: 'standardError' },
      { name: 'Order', key: 'spearman' },
      { name: 'Brightest places', key: 'overlap' },
      { name: 'By the explainer', key: 'radial.cosine' },
      { name: 'Off by', key: 'radial.distance', isCount: true },
      { name: 'Same answer', key: 'same' },
      { name: 'Images', key: 'images', isCount: true },
    ],
  },
  {
    title: 'Said by heart',
    protocol: 'memorization-',
    columns: [
      { name: 'Whole pieces', key: 'exact', error: 'standardError' },
      { name: 'Tokens', key: 'fractional' },
      { name: 'Pieces', key: 'windows', isCount: true },
    ],
  },
];

const kindOf = (value: unknown): Kind | undefined => {
  const protocol = value !== null && typeof value === 'object' ? (value as Measured).protocol : undefined;
  return typeof protocol === 'string'
    ? kinds.find(
        (kind) => protocol.startsWith(kind.protocol) && (kind.has === undefined || kind.has in (value as Measured)),
      )
    : undefined;
};

export const isScore = (value: unknown): boolean => kindOf(value) !== undefined;

/** A table for each protocol, a row for each stage that measured by it. */
export function scoreTables(run: Run): ScoreTable[] {
  const tables = new Map<string, ScoreTable>();
  for (const stage of run.stages)
    for (const value of Object.values(stage.outputs ?? {})) {
      const kind = kindOf(value);
      if (!kind) continue;
      const measured = value as unknown as Measured;
      const table = tables.get(measured.protocol) ?? {
        title: kind.title,
        protocol: measured.protocol,
        columns: kind.columns.map((column) => column.name),
        rows: [],
      };
      tables.set(measured.protocol, table);
      table.rows.push({
        name: nameOf(stage),
        cells: kind.columns.map(({ key, error, isCount }) =>
          isCount ? written(at(measured, key)) : share(at(measured, key), error && at(measured, error)),
        ),
      });
    }
  return [...tables.values()];
}

/** The stage, and the values that its matrices have there. */
export function nameOf(stage: Stage): string {
  const values = variablesText(stage.variables);
  return values === '' ? stage.id : `${nodeOf(stage.id)} (${values})`;
}

const at = (measured: unknown, key: string): unknown =>
  key.split('.').reduce((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], measured);

const written = (value: unknown): string => (typeof value === 'number' ? value.toLocaleString() : '–');

/** 0.7134 with an error of 0.0121 as `71.3 ± 1.2 %`. */
export function share(value: unknown, error?: unknown): string {
  if (typeof value !== 'number') return '–';
  const percent = (value * 100).toFixed(1);
  return typeof error === 'number' ? `${percent} ± ${(error * 100).toFixed(1)} %` : `${percent} %`;
}
