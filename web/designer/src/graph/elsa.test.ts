import { describe, expect, it } from 'vitest';
import { catalog } from '../fixtures/documents';
import { localFaults } from './checks';
import type { WorkflowDocument } from './document';
import { renameStage, setParameter } from './edit';
import { isElsa, placeholderFault } from './elsa';
import { toGraph } from './graph';

const imported: WorkflowDocument = {
  name: 'braided',
  elsa: { workflow: { id: '1' }, activities: ['a', 'b'] },
  stages: [
    { id: 'first', kind: 'elsa.WriteLine', elsa: { stage: 'first', activity: { id: 'a', type: 'Elsa.WriteLine' } } },
    {
      id: 'second',
      kind: 'elsa.FlowJoin',
      inputs: { In: ['first.Done'] },
      elsa: { stage: 'second', activity: { id: 'b', type: 'Elsa.FlowJoin' } },
    },
  ],
};

describe('a workflow of Elsa’s', () => {
  it.each([
    [{ name: 'w', root: { type: 'Elsa.Flowchart' } }, true],
    [{ name: 'w', stages: [], root: { type: 'Elsa.Flowchart' } }, false],
    [{ name: 'w', root: {} }, false],
    [{ name: 'w', root: null }, false],
    [[], false],
    [null, false],
  ])('is known by its shape: %j %s', (read, expected) => expect(isElsa(read)).toBe(expected));

  it('is drawn with a box for each placeholder and a line for each order', () => {
    const { nodes, edges } = toGraph(imported, catalog);
    expect(nodes.map((node) => [node.path, node.ports.known])).toEqual([
      ['first', false],
      ['second', false],
    ]);
    expect(edges.map(({ from, to }) => [from, to])).toEqual([
      [
        { stage: 'first', port: 'Done' },
        { stage: 'second', port: 'In' },
      ],
    ]);
  });

  it('says at each placeholder that it cannot run', () =>
    expect(localFaults(imported, catalog)).toEqual([
      { stage: 'first', field: 'kind', message: placeholderFault('elsa.WriteLine') },
      { stage: 'second', field: 'kind', message: placeholderFault('elsa.FlowJoin') },
    ]));

  it('keeps what it keeps when it is edited', () => {
    const edited = setParameter(renameStage(imported, 'first', 'hello'), 'hello', 'text', 'x');
    expect(edited.elsa).toBe(imported.elsa);
    expect(edited.stages.map((stage) => stage.elsa)).toEqual(imported.stages.map((stage) => stage.elsa));
    expect(edited.stages[1]!.inputs).toEqual({ In: ['hello.Done'] });
  });
});
