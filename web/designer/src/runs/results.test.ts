import { describe, expect, it } from 'vitest';
import {
  comparisonRows,
  costLabel,
  costOf,
  isComparison,
  isMeasurement,
  isRanking,
  isReference,
  isSpeed,
  outputsOf,
  ratio,
  sizeKind,
  speedKind,
  speedsOf,
  variablesText,
} from './results';

const dense = { perplexity: 20, parameters: 1000, nonzero: 1000, bytes: 4000 };
const pruned = { perplexity: 30, parameters: 1000, nonzero: 500, bytes: 4000 };
const recovered = { perplexity: 21, parameters: 1000, nonzero: 500, bytes: 2000 };
const comparison = { protocol: 'p', dense, pruned, recovered };

describe('a comparison', () => {
  it('is known by its shape', () => {
    expect(isComparison(comparison)).toBe(true);
    expect(isComparison({ dense, pruned: null })).toBe(false);
    expect(isComparison('text')).toBe(false);
  });

  it('sets each figure beside that of the dense model', () => {
    const [perplexity, parameters, nonzero, bytes] = comparisonRows(comparison);
    expect(perplexity!.cells.map((cell) => [cell.text, cell.ratio, cell.better])).toEqual([
      ['20', undefined, undefined],
      ['30', '+50 %', false],
      ['21', '+5 %', false],
    ]);
    expect(parameters!.cells[1]).toMatchObject({ ratio: 'the same', better: undefined });
    expect(nonzero!.cells.map((cell) => cell.share)).toEqual([1, 0.5, 0.5]);
    expect(bytes!.cells[2]).toMatchObject({ text: '2 kB', ratio: '−50 %', better: true });
  });

  it('has FLOPs where they were counted', () => {
    const rows = comparisonRows({ ...comparison, dense: { ...dense, flops: 2e6 }, pruned: { ...pruned, flops: 1e6 } });
    expect(rows.map((row) => row.name)).toEqual(['perplexity', 'parameters', 'not zero', 'size', 'FLOPs per token']);
    expect(rows[4]!.cells.map((cell) => [cell.text, cell.ratio])).toEqual([
      ['2M', undefined],
      ['1M', '−50 %'],
      ['–', undefined],
    ]);
    expect(comparisonRows({ ...comparison, dense: { ...dense, flops: null } })).toHaveLength(4);
  });

  it('of classifiers knows that more accuracy is better', () => {
    const figures = { parameters: 10, nonzero: 10, bytes: 40, flops: 2e6 };
    const rows = comparisonRows({
      protocol: 'accuracy-1',
      dense: { ...figures, accuracy: 0.832 },
      pruned: { ...figures, accuracy: 0.7, flops: 1e6 },
      recovered: { ...figures, accuracy: 0.8412, flops: 1e6 },
    });
    expect(rows.map((row) => row.name)).toEqual(['accuracy', 'parameters', 'not zero', 'size', 'FLOPs per image']);
    expect(rows[0]!.cells.map((cell) => [cell.text, cell.ratio, cell.better])).toEqual([
      ['83.2 %', undefined, undefined],
      ['70 %', '−13.2 points', false],
      ['84.12 %', '+0.92 points', true],
    ]);
    expect(rows[4]!.cells[1]).toMatchObject({ ratio: '−50 %', better: true });
  });

  it('has no column for a model that was not recovered', () =>
    expect(comparisonRows({ ...comparison, recovered: null })[0]!.cells).toHaveLength(2));
});

describe('a picture', () => {
  it('draws what a model gets wrong, so that less is better there too', () => {
    expect(costOf({ ...dense })).toBe(20);
    expect(costOf({ accuracy: 0.75, parameters: 1, nonzero: 1, bytes: 4 })).toBe(0.25);
    expect(costLabel([dense, pruned])).toBe('perplexity');
    expect(costLabel([{ accuracy: 0.75, parameters: 1, nonzero: 1, bytes: 4 }])).toBe('share of images not recognised');
  });

  it('leaves answers to questions to their own table', () => {
    const accuracy = { protocol: 'p', accuracy: 0.5, parameters: 1, nonzero: 1, bytes: 4 };
    expect(isMeasurement(accuracy)).toBe(true);
    expect(isMeasurement({ ...accuracy, items: 10 })).toBe(false);
  });
});

it.each([
  [1.004, '+0.4 %'],
  [0.5, '−50 %'],
  [1, 'the same'],
  [123.4, '123×'],
  [Infinity, '–'],
])('writes the factor %d as %s', (factor, text) => expect(ratio(factor)).toBe(text));

describe('the results of a run', () => {
  const ranking = {
    protocol: 'p',
    size: 'nonzero',
    models: [{ rank: 1, stage: 's', variables: {}, pareto: true, figures: pruned }],
  };
  it('are found in the run and in its stages, each once', () =>
    expect(
      outputsOf(
        {
          outputs: { report: comparison },
          stages: [
            { id: 'report', outputs: { comparison } },
            { id: 'rank', outputs: { ranking } },
          ],
        },
        isComparison,
      ).map(({ name }) => name),
    ).toEqual(['report']));
  it('count size as the ranking does', () => {
    expect(isRanking(ranking)).toBe(true);
    expect(sizeKind(ranking).key).toBe('nonzero');
    expect(sizeKind({ size: 'Bytes' }).key).toBe('bytes');
  });
  it('say which speed a front is of', () => {
    expect(speedKind({})).toBeUndefined();
    expect(speedKind({ speed: { protocol: 's', measure: 'Decode' } })).toMatchObject({ key: 'decode' });
    expect(speedKind({ speed: { protocol: 's', measure: 'prefill' } })).toMatchObject({ key: 'prefill' });
    expect(speedKind({ speed: { protocol: 'i', measure: 'images' } })).toMatchObject({ key: 'images' });
  });
  it('have the speeds that their models have', () => {
    const ratio = { median: 2, lowest: 1, highest: 3 };
    expect(speedsOf([undefined, { prefill: ratio, decode: ratio }]).map(({ name }) => name)).toEqual([
      'Decode',
      'Prefill',
    ]);
    expect(speedsOf([{ images: ratio }, null]).map(({ name }) => name)).toEqual(['Images']);
    expect(speedsOf([{ images: null }])).toEqual([]);
  });
  it('know two models that were timed', () => {
    const pair = { dense: {}, pruned: {}, ratio: {} };
    expect(isSpeed({ protocol: 'latency-1', device: 'cpu', threads: 4, images: pair })).toBe(true);
    expect(isSpeed({ protocol: 'speed-1', device: 'cpu', threads: 4, prefill: pair, decode: pair })).toBe(true);
    expect(isSpeed({ protocol: 'p', measure: 'images' })).toBe(false);
    expect(isSpeed(ranking)).toBe(false);
  });
  it('name a model by the values that made it', () =>
    expect(variablesText({ sparsity: 0.5, method: 'wanda', rounds: 3 })).toBe('method wanda, sparsity 0.5'));
  it('know the dense model among the others', () => {
    expect(isReference({ stage: 'evaluate-dense', variables: {} })).toBe(true);
    expect(isReference({ stage: 'evaluate-dense-trained', variables: {} })).toBe(false);
    expect(isReference({ stage: 'sweep.1.dense', variables: { ratio: 0.5 } })).toBe(false);
  });
});
