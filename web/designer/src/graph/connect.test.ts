import { describe, expect, it } from 'vitest';
import { catalog, joining, quickstartDocument, sweep } from '../fixtures/documents';
import { canConnect, connect, dependencies, disconnect, reach, type Endpoint } from './connect';
import { addStage } from './edit';
import { findStage, updateStage, withProperty } from './document';
import { candidates, fittingKinds } from './targets';

const end = (text: string): Endpoint => {
  const [stage, port] = text.split('.');
  return { stage: stage!, port: port! };
};
const inner = (text: string): Endpoint => ({ ...end(text), inner: true });
const verdict = (from: string, to: string, document = quickstartDocument) =>
  canConnect(document, catalog, end(from), end(to));

describe('canConnect', () => {
  const open = disconnect(quickstartDocument, end('export.model'));

  it('allows ports of one type', () => expect(verdict('prune.model', 'export.model', open)).toEqual({ ok: true }));

  it('names both types where they differ', () =>
    expect(verdict('text.data', 'export.model', open)).toEqual({
      ok: false,
      code: 'type',
      reason: "input 'model' takes a checkpoint, but the output is a dataset",
    }));

  it('refuses a stage that feeds itself', () =>
    expect(verdict('prune.model', 'prune.model')).toMatchObject({ code: 'self' }));

  it('refuses a circle and shows it', () => {
    const withoutFeeder = disconnect(quickstartDocument, end('calibrate.model'));
    expect(verdict('recover.model', 'calibrate.model', withoutFeeder)).toEqual({
      ok: false,
      code: 'cycle',
      reason: 'the stages would feed each other in a circle: calibrate → prune → recover → calibrate',
    });
  });

  it('counts a condition as an edge of the circle', () => {
    const document = updateStage(open, 'train', (stage) => withProperty(stage, 'when', 'export.export.size > 1'));
    expect(verdict('recover.model', 'export.model', document)).toMatchObject({ code: 'cycle' });
  });

  it('says what feeds a port that is taken', () =>
    expect(verdict('prune.model', 'export.model')).toEqual({
      ok: false,
      code: 'occupied',
      reason: "input 'model' is fed by recover.model: it takes one",
    }));

  it('does not make the same connection twice', () =>
    expect(verdict('recover.model', 'export.model')).toMatchObject({ code: 'same' }));

  it('names what does not exist', () =>
    expect(verdict('prune.nothing', 'export.model')).toEqual({
      ok: false,
      code: 'missing',
      reason: "'prune' has no output 'nothing'",
    }));
});

describe('lists and groups', () => {
  const joined = (from: Endpoint, to: Endpoint, document = sweep) => canConnect(document, joining, from, to);

  it('makes the output of a matrix a list, which a list port takes', () => {
    const open = disconnect(sweep, end('compare.measurements'));
    expect(joined(end('sweep.measurement'), end('compare.measurements'), open)).toEqual({ ok: true });
  });

  it('adds single outputs to a list port that has some', () => {
    const { document } = addStage(sweep, '', { id: 'dense', kind: 'evaluate.perplexity' });
    expect(joined(end('dense.measurement'), end('compare.measurements'), document)).toEqual({ ok: true });
    const added = connect(document, end('dense.measurement'), end('compare.measurements'));
    expect(findStage(added, 'compare')!.inputs).toEqual({ measurements: ['sweep.measurement', 'dense.measurement'] });
  });

  it('refuses a list where one is taken', () => {
    const { document } = addStage(sweep, '', { id: 'report', kind: 'report' });
    expect(joined(end('sweep.measurement'), end('report.dense'), document)).toEqual({
      ok: false,
      code: 'list',
      reason: "input 'dense' takes one measurement, but the output is a list of them (measurement[])",
    });
  });

  it('lets inner stages take from outer ones, and not the other way round', () => {
    const open = disconnect(sweep, end('sweep/evaluate.data'));
    expect(joined(end('text.data'), end('sweep/evaluate.data'), open)).toEqual({ ok: true });
    const { document } = addStage(sweep, '', { id: 'out', kind: 'export.huggingface' });
    expect(joined(end('sweep/prune.model'), end('out.model'), document)).toMatchObject({
      code: 'scope',
      reason: "'prune' is inside of the group 'sweep': give the group an output",
    });
  });

  it('refuses what the group waits for from the group itself', () =>
    expect(joined(end('sweep.measurement'), end('sweep/evaluate.model'))).toMatchObject({ code: 'cycle' }));

  it('types the inputs of a group as seen from inside', () => {
    const open = disconnect(sweep, end('sweep/prune.model'));
    expect(joined(inner('sweep.dense'), end('sweep/prune.model'), open)).toEqual({ ok: true });
    expect(joined(inner('sweep.dense'), end('sweep/evaluate.data'), open)).toMatchObject({ code: 'type' });
    expect(joined(inner('sweep.dense'), end('compare.measurements'), open)).toMatchObject({ code: 'scope' });
  });

  it('finds a circle that goes through a group', () => {
    const open = updateStage(sweep, 'train', (stage) => withProperty(stage, 'inputs', undefined));
    const { document } = addStage(open, '', { id: 'load', kind: 'finetune.lora', inputs: { data: 'text.data' } });
    const fed = connect(document, end('load.model'), end('sweep/evaluate.model'), 'replace');
    const back = updateStage(fed, 'load', (stage) => withProperty(stage, 'when', 'compare.best.perplexity > 3'));
    expect([...reach(back, 'load', 'after')]).toContain('compare');
    expect(joined(end('compare.best'), end('train.data'), back)).toMatchObject({ code: 'type' });
    expect(
      joined(end('load.model'), end('sweep/prune.model'), disconnect(back, end('sweep/prune.model'))),
    ).toMatchObject({
      code: 'cycle',
    });
  });

  it('makes a port of the border from the name of what is connected', () => {
    const once = connect(sweep, end('text.data'), end('sweep.+'));
    const twice = connect(once, end('text.data'), end('sweep.+'));
    expect(findStage(twice, 'sweep')!.inputs).toEqual({ dense: 'train.model', data: 'text.data', data2: 'text.data' });
    const out = connect(sweep, end('sweep/prune.model'), inner('sweep.+'));
    expect(findStage(out, 'sweep')!.outputs).toEqual({ measurement: 'evaluate.measurement', model: 'prune.model' });
  });

  it('counts what is inside of a group as the group', () =>
    expect(dependencies(sweep).get('text')).toEqual(new Set(['train', 'sweep'])));
});

describe('connect', () => {
  it('replaces, or becomes a second choice', () => {
    const replaced = connect(quickstartDocument, end('prune.model'), end('export.model'), 'replace');
    expect(findStage(replaced, 'export')!.inputs).toEqual({ model: 'prune.model' });
    const appended = connect(quickstartDocument, end('prune.model'), end('export.model'));
    expect(findStage(appended, 'export')!.inputs).toEqual({ model: ['recover.model', 'prune.model'] });
    expect(disconnect(appended, end('export.model'), 'prune.model')).toEqual(quickstartDocument);
  });

  it('leaves no empty object behind', () =>
    expect(findStage(disconnect(quickstartDocument, end('export.model')), 'export')).not.toHaveProperty('inputs'));
});

describe('what fits', () => {
  it('lists open ports first and taken ones last', () => {
    const document = disconnect(quickstartDocument, end('export.model'));
    const found = candidates(document, catalog, end('prune.model'), 'output');
    expect(found[0]!.end).toEqual(end('export.model'));
    expect(found.map((one) => one.verdict.ok)).toEqual(
      [...found.map((one) => one.verdict.ok)].sort((a, b) => Number(b) - Number(a)),
    );
    expect(found.some((one) => one.end.stage === 'calibrate')).toBe(false);
  });

  it('offers the kinds that take a type', () => {
    const kinds = fittingKinds(catalog, 'measurement', 'output');
    expect(kinds).toEqual([{ kind: 'report', port: 'dense' }]);
    expect(fittingKinds(catalog, 'statistics', 'input')).toEqual([
      { kind: 'calibrate.statistics', port: 'statistics' },
    ]);
  });
});

describe('a workflow of a thousand stages', () => {
  const stages = Array.from({ length: 1000 }, (_, index) => ({
    id: `s${index}`,
    kind: 'prune.magnitude',
    ...(index > 0 ? { inputs: { model: `s${Math.floor((index - 1) / 2)}.model` } } : {}),
  }));

  it('answers what fits a port within the time of a gesture', () => {
    const document = addStage({ name: 'large', stages }, '', { id: 'last', kind: 'export.huggingface' }).document;
    const start = performance.now();
    const found = candidates(document, catalog, end('s500.model'), 'output');
    expect(found[0]!.end).toEqual(end('last.model'));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
