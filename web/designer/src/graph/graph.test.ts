import { describe, expect, it } from 'vitest';
import { catalog, joining, quickstartDocument, structuredDocument, sweep } from '../fixtures/documents';
import { connect } from './connect';
import { localFaults, mergeFaults } from './checks';
import { findStage, walk, type WorkflowDocument } from './document';
import { difference } from './difference';
import { moveStages } from './edit';
import { fieldFault, fieldsOf, readField } from './form';
import { absolutePosition, endpointOfHandle, handleId, toGraph } from './graph';
import { begin, record, redo, undo } from './history';
import { align, autoLayout, distribute, placeMissing, type Box } from './layout';
import { neighbour } from './navigate';
import { portsOf, typeOf } from './ports';
import { mapNames, mapTemplate, namesIn } from './references';
import { search } from './search';

const withoutEdges = (document: WorkflowDocument): WorkflowDocument => ({
  ...document,
  stages: document.stages.map(({ inputs: _, ...stage }) => stage),
});

describe('the document as a graph', () => {
  it('has a box for every stage and a line for every source', () => {
    const { nodes, edges } = toGraph(quickstartDocument, catalog);
    expect(nodes.map((node) => node.path)).toEqual(walk(quickstartDocument).map(({ path }) => path));
    const sources = quickstartDocument.stages.flatMap((stage) => Object.values(stage.inputs ?? {}));
    expect(edges).toHaveLength(sources.length);
  });

  it.each([quickstartDocument, structuredDocument])('gives $name back from its boxes and lines', (document) => {
    const { nodes, edges } = toGraph(document, catalog);
    let rebuilt = withoutEdges(document);
    for (const edge of edges) rebuilt = connect(rebuilt, edge.from, edge.to);
    const positions = Object.fromEntries(nodes.map((node) => [node.path, node.position]));
    expect(moveStages({ ...rebuilt, layout: {} }, positions)).toEqual(document);
  });

  it('puts the stages of a group into its box and draws its borders', () => {
    const { nodes, edges } = toGraph(sweep, joining);
    expect(nodes.find((node) => node.path === 'sweep/prune')!.parent).toBe('sweep');
    expect(edges.map((edge) => edge.id)).toContain('sweep:dense>sweep/prune.model');
    expect(edges.map((edge) => edge.id)).toContain('sweep/evaluate.measurement>sweep:measurement');
    expect(edges.find((edge) => edge.to.stage === 'compare')!.type).toBe('measurement[]');
    const group = nodes.find((node) => node.path === 'sweep')!;
    expect(group.size.width).toBeGreaterThan(320 + 216);
    expect(absolutePosition(nodes, 'sweep/prune')).toEqual({ x: 632, y: 64 });
  });

  it('numbers the choices of a port with several sources', () => {
    const document = connect(quickstartDocument, { stage: 'prune', port: 'model' }, { stage: 'export', port: 'model' });
    expect(
      toGraph(document, catalog)
        .edges.filter((edge) => edge.to.stage === 'export')
        .map((edge) => edge.choice),
    ).toEqual([1, 2]);
  });

  it('reads handles as it writes them', () => {
    for (const end of [
      { stage: 'a', port: '+' },
      { stage: 'a', port: 'm:x', inner: true },
    ])
      expect(endpointOfHandle('a', handleId('in', end))).toEqual(end);
  });
});

describe('ports', () => {
  it('are those in use where the kind is unknown', () => {
    expect(portsOf(sweep, 'compare', catalog)).toEqual({
      inputs: [{ name: 'measurements', type: '?', optional: true }],
      outputs: [{ name: 'best', type: '?', optional: false }],
      known: false,
    });
  });

  it('of a workflow are what it declares', () => {
    const document: WorkflowDocument = {
      name: 'outer',
      stages: [
        {
          id: 'half',
          workflow: {
            name: 'half',
            inputs: { model: 'checkpoint', text: 'dataset?' },
            stages: [{ id: 'prune', kind: 'prune.magnitude', inputs: { model: 'inputs.model' } }],
            outputs: { model: 'prune.model', same: 'inputs.model' },
          },
        },
      ],
    };
    const { inputs, outputs } = portsOf(document, 'half', catalog);
    expect(inputs).toEqual([
      { name: 'model', type: 'checkpoint', optional: false },
      { name: 'text', type: 'dataset', optional: true },
    ]);
    expect(outputs.map((port) => port.type)).toEqual(['checkpoint', 'checkpoint']);
  });

  it('survive groups that feed themselves', () => {
    const circle: WorkflowDocument = {
      name: 'circle',
      stages: [{ id: 'g', stages: [], inputs: { a: 'g.b', c: 'g.d' }, outputs: { b: 'inputs.a', d: 'inputs.c' } }],
    };
    expect(typeOf(circle, '', 'g.b', catalog)).toBe('?');
  });
});

describe('expressions', () => {
  it('have names outside of strings, and functions are none', () =>
    expect(namesIn('min(a.b, 1e5) > round and not \'x.y\' == "z\\"w"').map((name) => name.parts.join('.'))).toEqual([
      'a.b',
      'round',
    ]));

  it('are changed in place', () => {
    expect(mapNames("a.b+a.c*'a.b'", (parts) => ['z', ...parts.slice(1)])).toBe("z.b+z.c*'a.b'");
    expect(mapTemplate("a/${a + '}' + a}/${b}", (parts) => (parts[0] === 'a' ? ['x'] : parts))).toBe(
      "a/${x + '}' + x}/${b}",
    );
  });
});

describe('layout', () => {
  const boxes = (document: WorkflowDocument): Box[] => toGraph(document, joining).nodes;

  it('lays out from left to right, groups around what is in them', () => {
    const laid = autoLayout({ ...sweep, layout: undefined }, joining);
    const at = laid.layout!;
    expect(at['text']!.x).toBeLessThan(at['train']!.x);
    expect(at['train']!.x).toBeLessThan(at['sweep']!.x);
    expect(at['sweep/prune']!.x).toBeLessThan(at['sweep/evaluate']!.x);
    expect(at['sweep/prune']!.y).toBeGreaterThanOrEqual(64);
    const top = toGraph(laid, joining).nodes.filter((node) => !node.parent);
    for (const a of top)
      for (const b of top)
        if (a !== b)
          expect(
            a.position.x + a.size.width <= b.position.x ||
              b.position.x + b.size.width <= a.position.x ||
              a.position.y + a.size.height <= b.position.y ||
              b.position.y + b.size.height <= a.position.y,
          ).toBe(true);
  });

  it('leaves alone what has a place', () => {
    expect(placeMissing(sweep, joining)).toBe(sweep);
    const { compare: _, ...rest } = sweep.layout!;
    const placed = placeMissing({ ...sweep, layout: rest }, joining);
    expect(placed.layout!['text']).toEqual(sweep.layout!['text']);
    expect(placed.layout!['compare']!.y).toBeGreaterThan(200);
  });

  it('aligns and distributes', () => {
    const three = boxes(quickstartDocument).filter((box) => ['text', 'calibrate', 'export'].includes(box.path));
    expect(Object.values(align(three, 'top')).map((at) => at.y)).toEqual([160, 160, 160]);
    const spread = distribute(three, 'x');
    const [a, b, c] = ['text', 'calibrate', 'export'].map((path) => spread[path]!.x) as [number, number, number];
    expect(b - a).toBeCloseTo(c - b);
    expect(distribute(three.slice(0, 2), 'x')).toEqual({});
  });

  it('is walked along edges, then by nearness', () => {
    const { nodes } = toGraph(quickstartDocument, catalog);
    expect(neighbour(quickstartDocument, nodes, 'train', 'right')).toBe('calibrate');
    expect(neighbour(quickstartDocument, nodes, 'calibrate', 'left')).toBe('train');
    expect(neighbour(quickstartDocument, nodes, 'prune', 'up')).toBeDefined();
    expect(neighbour(quickstartDocument, nodes, 'text', 'left')).toBeUndefined();
  });
});

describe('history', () => {
  it('takes quick steps about one thing as one', () => {
    let history = begin('a');
    history = record(history, 'ab', 'typing', 1000);
    history = record(history, 'abc', 'typing', 1500);
    history = record(history, 'abc!', 'typing', 5000);
    expect(undo(history).present).toBe('abc');
    expect(undo(undo(history)).present).toBe('a');
    expect(redo(undo(history)).present).toBe('abc!');
  });

  it('forgets what was undone once something else is done', () => {
    const other = record(undo(record(begin(1), 2)), 3);
    expect(redo(other).present).toBe(3);
    expect(undo(other).present).toBe(1);
  });

  it('does not go on with a step that was undone', () => {
    const history = undo(record(record(begin(0), 1, 'x', 1), 2, 'y', 2));
    expect(undo(record(history, 9, 'x', 3)).present).toBe(1);
  });
});

describe('difference', () => {
  it('names added, removed and changed stages, parameter by parameter', () => {
    const after: WorkflowDocument = {
      ...quickstartDocument,
      description: 'other',
      stages: [
        ...quickstartDocument.stages
          .filter((stage) => stage.id !== 'report')
          .map((stage) => (stage.id === 'calibrate' ? { ...stage, parameters: { sequences: 32 } } : stage)),
        { id: 'new', kind: 'report' },
      ],
    };
    const found = difference(quickstartDocument, after);
    expect(found.stages.map((stage) => `${stage.change} ${stage.path}`)).toEqual([
      'changed calibrate',
      'added new',
      'removed report',
    ]);
    expect(found.stages[0]!.fields).toEqual([{ field: 'parameters.sequences', before: 64, after: 32 }]);
    expect(found.document.map((field) => field.field)).toEqual(['description']);
    expect(found.moved).toBe(false);
  });
});

describe('the form', () => {
  const fields = fieldsOf(catalog.get('prune.wanda')!.parameters);
  const field = (kind: string, name: string) =>
    fieldsOf(catalog.get(kind)!.parameters).find((one) => one.name === name)!;

  it('has a box for every parameter of every kind', () => {
    for (const activity of catalog.values())
      for (const one of fieldsOf(activity.parameters))
        expect(`${activity.kind} ${one.name} ${one.description}`).not.toContain('undefined');
    expect(fields.length).toBeGreaterThan(0);
  });

  it('says what a value must be', () => {
    const sequences = field('calibrate.statistics', 'sequences');
    expect(sequences).toMatchObject({ type: 'integer', required: false, default: 128, minimum: 1 });
    expect(fieldFault(sequences, 0)).toBe('0: an integer from 1 to 1000000 is expected');
    expect(fieldFault(sequences, 1.5)).toBe('1.5: an integer from 1 to 1000000 is expected');
    expect(fieldFault(sequences, '${steps * 2}')).toBeUndefined();
    expect(fieldFault(field('data.text', 'path'), undefined)).toBe('a text is expected');
    expect(field('data.text', 'sequences').nullable).toBe(true);
    expect(field('data.text', 'order')).toMatchObject({ type: 'choice' });
  });

  it('reads numbers as numbers and keeps what is none', () => {
    expect(readField({ type: 'number' }, '1e-3')).toBe(0.001);
    expect(readField({ type: 'integer' }, 'abc')).toBe('abc');
    expect(readField({ type: 'integer' }, '${p}')).toBe('${p}');
    expect(readField({ type: 'json' }, '[1,2]')).toEqual([1, 2]);
    expect(readField({ type: 'text' }, '')).toBeUndefined();
  });
});

describe('checks', () => {
  it('finds nothing in the templates', () => {
    expect(localFaults(quickstartDocument, catalog)).toEqual([]);
    expect(localFaults(structuredDocument, catalog)).toEqual([]);
    expect(localFaults(sweep, joining)).toEqual([]);
  });

  it('names the field', () => {
    const document: WorkflowDocument = {
      name: 'wrong',
      stages: [
        { id: 'a', kind: 'prune.nothing' },
        { id: 'b', kind: 'export.huggingface', parameters: { speling: 1 } },
        {
          id: 'c',
          kind: 'calibrate.statistics',
          inputs: { model: 'gone.model', calibration: 'd.data', odd: 'd.data' },
        },
        { id: 'd', kind: 'data.text', parameters: { path: 'x' } },
      ],
      outputs: { out: 'd.nothing' },
    };
    expect(localFaults(document, catalog).map((fault) => `${fault.stage} ${fault.field}`)).toEqual([
      'a kind',
      'b inputs.model',
      'b parameters.speling',
      'c inputs.model',
      'c inputs.odd',
      'null outputs.out',
    ]);
    expect(findStage(document, 'c')).toBeDefined();
  });

  it('lets the server have the last word on a field', () => {
    const local = [
      { stage: 'a', field: 'inputs.x', message: 'mine' },
      { stage: 'a', field: null, message: 'other' },
    ];
    const server = [{ stage: 'a', field: 'inputs.x', message: 'theirs' }];
    expect(mergeFaults(local, server).map((fault) => fault.message)).toEqual(['theirs', 'other']);
  });
});

describe('search', () => {
  it('wants every word and prefers the name', () => {
    const kinds = [...catalog.values()];
    const found = search(kinds, 'pru', (one) => [one.kind, one.description]);
    expect(found.slice(0, 3).every((one) => one.family === 'prune')).toBe(true);
    expect(search(kinds, 'wanda zzz', (one) => [one.kind])).toEqual([]);
    expect(search(kinds, '  ', (one) => [one.kind])).toHaveLength(kinds.length);
  });
});
