import { describe, expect, it } from 'vitest';
import { catalog, joining, quickstartDocument, sweep } from '../fixtures/documents';
import { localFaults } from './checks';
import { hiddenBy, isCollapsed, setCollapsed, uncover } from './collapse';
import { toGraph } from './graph';
import { autoLayout, freePlace } from './layout';
import { documentUpTo } from './upTo';

describe('a collapsed group', () => {
  const closed = setCollapsed(sweep, 'sweep', true);
  const graph = toGraph(closed, joining);

  it('is one box, as large as its ports want', () => {
    expect(graph.nodes.map((node) => node.path)).toEqual(['text', 'train', 'sweep', 'compare']);
    const open = toGraph(sweep, joining).nodes.find((node) => node.path === 'sweep')!;
    const box = graph.nodes.find((node) => node.path === 'sweep')!;
    expect(box.size.width).toBeLessThan(open.size.width / 2);
  });

  it('has all its edges at the border, each once, and none of those inside', () => {
    const ends = graph.edges.map((edge) => `${edge.from.stage}.${edge.from.port} ${edge.to.stage}.${edge.to.port}`);
    expect(ends).toContain('train.model sweep.dense');
    expect(ends).toContain('text.evaluation sweep.…');
    expect(new Set(ends).size).toBe(ends.length);
    for (const edge of graph.edges) {
      const handles = (path: string, side: 'inputs' | 'outputs') =>
        graph.nodes.find((node) => node.path === path)!.ports[side].map((port) => port.name);
      expect(handles(edge.from.stage, 'outputs')).toContain(edge.from.port);
      expect(handles(edge.to.stage, 'inputs')).toContain(edge.to.port);
    }
  });

  it('opens again as it was', () => {
    expect(setCollapsed(closed, 'sweep', false)).toEqual(sweep);
    expect(isCollapsed(uncover(closed, 'sweep/prune'), 'sweep')).toBe(false);
    expect(hiddenBy(closed, 'sweep/prune')).toBe('sweep');
    expect(hiddenBy(closed, 'sweep')).toBeUndefined();
  });

  it('keeps the places of its stages when all is tidied', () => {
    const tidy = autoLayout(closed, joining);
    expect(isCollapsed(tidy, 'sweep')).toBe(true);
    expect(tidy.layout!['sweep/evaluate']!.x).toBeGreaterThan(tidy.layout!['sweep/prune']!.x);
  });
});

describe('the part up to a stage', () => {
  it('is the stage and what feeds it, sound by itself', () => {
    const part = documentUpTo(quickstartDocument, 'prune');
    expect(part.stages.map((stage) => stage.id)).toEqual(['text', 'train', 'calibrate', 'prune']);
    expect(part.outputs).toBeUndefined();
    expect(localFaults(part, catalog)).toEqual([]);
  });

  it('of a stage in a group is up to the group', () =>
    expect(documentUpTo(sweep, 'sweep/prune').stages.map((stage) => stage.id)).toEqual(['text', 'train', 'sweep']));

  it('of the last stage is all of it', () => {
    expect(documentUpTo(sweep, 'compare')).toEqual(sweep);
  });
});

describe('a free place', () => {
  const box = (x: number, y: number) => ({ position: { x, y }, size: { width: 100, height: 50 } });
  const size = { width: 100, height: 50 };
  it('is the wanted one where nothing lies', () =>
    expect(freePlace([box(300, 0)], { x: 0, y: 0 }, size)).toEqual({ x: 0, y: 0 }));
  it('is below all that lies in the way', () =>
    expect(freePlace([box(0, 0), box(20, 70), box(0, 400)], { x: 10, y: 10 }, size)).toEqual({ x: 10, y: 144 }));
});
