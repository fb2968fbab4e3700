import { describe, expect, it } from 'vitest';
import { layLineage } from './lineage';

const node = (id: string, kind: 'artifact' | 'stage' = 'artifact') => ({ id, kind, label: id });

describe('a lineage', () => {
  const laid = layLineage({
    nodes: [
      node('text'),
      node('train', 'stage'),
      node('model'),
      node('prune', 'stage'),
      node('a-very-long-name-of-an-artifact-that-goes-on'),
    ],
    edges: [
      { from: 'text', to: 'train' },
      { from: 'train', to: 'model' },
      { from: 'model', to: 'prune' },
      { from: 'prune', to: 'a-very-long-name-of-an-artifact-that-goes-on' },
      { from: 'gone', to: 'prune' },
    ],
  });
  const box = (id: string) => laid.nodes.find((one) => one.id === id)!;

  it('goes from left to right', () => {
    const order = ['text', 'train', 'model', 'prune'].map((id) => box(id).x);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(4);
  });

  it('lies within its picture, and no two boxes lie on each other', () => {
    for (const one of laid.nodes) {
      expect(one.x).toBeGreaterThanOrEqual(0);
      expect(one.x + one.width).toBeLessThanOrEqual(laid.width);
      expect(one.y + one.height).toBeLessThanOrEqual(laid.height);
    }
    for (const a of laid.nodes)
      for (const b of laid.nodes)
        if (a !== b)
          expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(
            true,
          );
  });

  it('leaves out an edge to what is not there', () => expect(laid.edges).toHaveLength(4));

  it('of nothing is empty', () => expect(layLineage({ nodes: [], edges: [] })).toMatchObject({ nodes: [], edges: [] }));
});
