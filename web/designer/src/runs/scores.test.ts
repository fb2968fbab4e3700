import { describe, expect, it } from 'vitest';
import { isScore, scoreTables, share } from './scores';

const choice = {
  protocol: 'choice-1:items=a',
  items: 1500,
  accuracy: 0.7134,
  standardError: 0.0121,
  normalizedAccuracy: 0.75,
  parameters: 10,
  nonzero: 10,
  bytes: 40,
};
const heart = { protocol: 'memorization-1:data=b', windows: 24, exact: 0.5, fractional: 0.625, standardError: 0.1 };

describe('scores', () => {
  it('are known by their protocol', () => {
    expect(isScore(choice)).toBe(true);
    expect(isScore(heart)).toBe(true);
    expect(isScore({ protocol: 'perplexity-1:data=b', perplexity: 3 })).toBe(false);
    expect(isScore({ protocol: 'accuracy-1:images=c', top1: 0.8, images: 100 })).toBe(true);
    // The same stage's measurement stands among the models.
    expect(isScore({ protocol: 'accuracy-1:images=c', accuracy: 0.8, bytes: 4 })).toBe(false);
    expect(isScore(null)).toBe(false);
    expect(isScore(7)).toBe(false);
  });

  it('stand in a table for each protocol, equal ones too', () => {
    const tables = scoreTables({
      stages: [
        { id: 'load', outputs: { model: { hash: 'x' } } },
        { id: 'dense', outputs: { measurement: choice } },
        { id: 'pruned', outputs: { measurement: choice } },
        { id: 'sweep.1.heart', outputs: { measurement: heart }, variables: { sparsity: 0.5 } },
        { id: 'other', outputs: { measurement: { ...choice, protocol: 'choice-1:items=c' } } },
        { id: 'waits', outputs: null },
      ],
    });
    expect(tables.map(({ title, protocol }) => [title, protocol])).toEqual([
      ['Multiple choice', 'choice-1:items=a'],
      ['Said by heart', 'memorization-1:data=b'],
      ['Multiple choice', 'choice-1:items=c'],
    ]);
    expect(tables[0]!.rows.map((row) => row.name)).toEqual(['dense', 'pruned']);
    expect(tables[0]!.rows[0]!.cells).toEqual(['71.3 ± 1.2 %', '75.0 %', (1500).toLocaleString()]);
    expect(tables[1]!.rows[0]!.name).toContain('(sparsity 0.5)');
    expect(tables[1]!.rows[0]!.cells).toEqual(['50.0 ± 10.0 %', '62.5 %', '24']);
  });

  it('read what is nested, where it is there', () => {
    const looks = { protocol: 'explanations-1:dense=d', images: 9, same: 0.5, cosine: 0.75, standardError: 0.01 };
    const rows = scoreTables({
      stages: [
        { id: 'cut', outputs: { similarity: { ...looks, radial: { protocol: 'radial-1:', cosine: 0.9, distance: 1.5 } } } },
        { id: 'other', outputs: { similarity: { ...looks, radial: null } } },
      ],
    })[0]!.rows.map((row) => row.cells);
    expect(rows[0]).toEqual(['75.0 ± 1.0 %', '–', '–', '90.0 %', (1.5).toLocaleString(), '50.0 %', '9']);
    expect(rows[1]).toEqual(['75.0 ± 1.0 %', '–', '–', '–', '–', '50.0 %', '9']);
  });

  it('say nothing where there is no number', () => expect(share(null, 1)).toBe('–'));
});
