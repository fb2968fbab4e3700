import { describe, expect, it } from 'vitest';
import { catalog, joining, quickstartDocument, sweep } from '../fixtures/documents';
import { localFaults } from './checks';
import { findStage, type WorkflowDocument } from './document';
import { groupStages } from './groups';
import { moveInto, moveOut, stageOnCircle, type Moved } from './membership';

const done = (moved: Moved): WorkflowDocument => {
  if ('fault' in moved) throw new Error(moved.fault);
  return moved.document;
};

describe('moving into a group', () => {
  const grouped = groupStages(quickstartDocument, ['calibrate', 'prune'], 'cut').document;

  it('makes outputs of what others take, and feeds it from inside', () => {
    const document = done(moveInto(grouped, 'recover', 'cut', { x: 400, y: 90 }));
    expect(findStage(document, 'cut/recover')!.inputs).toEqual({ model: 'prune.model', data: 'text.data' });
    expect(findStage(document, 'export')!.inputs).toEqual({ model: 'cut.recover-model' });
    expect(document.layout!['cut/recover']).toEqual({ x: 400, y: 90 });
    expect(document.layout).not.toHaveProperty('recover');
    expect(localFaults(document, catalog)).toEqual([]);
  });

  it('is undone by moving out', () => {
    const document = done(moveOut(done(moveInto(grouped, 'recover', 'cut', { x: 1, y: 1 })), 'cut/recover'));
    expect(findStage(document, 'recover')).toEqual(findStage(grouped, 'recover'));
    expect(findStage(document, 'export')).toEqual(findStage(grouped, 'export'));
    expect(findStage(document, 'cut')).toEqual(findStage(grouped, 'cut'));
  });

  it('is refused where something outside would stand between', () => {
    const around = groupStages(quickstartDocument, ['train'], 'first').document;
    expect(moveInto(around, 'recover', 'first', { x: 0, y: 0 })).toEqual({ fault: "'prune' would wait for itself" });
  });
});

describe('moving out of a group', () => {
  it('asks the group for what it took inside, and its inputs for what they stood for', () => {
    const document = done(moveOut(sweep, 'sweep/evaluate'));
    expect(findStage(document, 'evaluate')!.inputs).toEqual({ model: 'sweep.model', data: 'text.evaluation' });
    expect(findStage(document, 'evaluate')!.when).toContain('sweep.sparsity > 0.1');
    expect(findStage(document, 'sweep')!.outputs).toEqual({ model: 'prune.model', sparsity: 'prune.sparsity' });
    expect(findStage(document, 'compare')!.inputs).toEqual({ measurements: 'evaluate.measurement' });
    const prune = done(moveOut(sweep, 'sweep/prune'));
    expect(findStage(prune, 'prune')!.inputs).toEqual({ model: 'train.model' });
    expect(localFaults(prune, joining)).toEqual([]);
  });

  it('is refused for a stage that is in none', () =>
    expect(moveOut(sweep, 'train')).toEqual({ fault: "'train' is in no group" }));
});

it('finds a stage that feeds itself, and none where there is none', () => {
  expect(stageOnCircle(quickstartDocument)).toBeUndefined();
  const circle = {
    name: 'c',
    stages: [
      { id: 'a', inputs: { x: 'b.y' } },
      { id: 'b', inputs: { x: 'a.y' } },
    ],
  };
  expect(stageOnCircle(circle)).toBe('b');
});
