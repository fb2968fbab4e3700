import { describe, expect, it } from 'vitest';
import { catalog, joining, quickstartDocument, sweep } from '../fixtures/documents';
import { findStage, walk, type WorkflowDocument } from './document';
import { addStage, moveStages, removeStages, renameFault, renameParameter, renameStage } from './edit';
import { copyStages, duplicateStages, parseClip, pasteStages } from './clipboard';
import { groupFault, groupStages, ungroupFault, ungroupStages } from './groups';
import { difference } from './difference';
import { localFaults } from './checks';

const ids = (document: WorkflowDocument) => walk(document).map(({ path }) => path);

describe('renaming', () => {
  it('follows the stage into inputs, conditions, outputs and the layout', () => {
    const renamed = renameStage(sweep, 'sweep/prune', 'cut');
    const evaluate = findStage(renamed, 'sweep/evaluate')!;
    expect(evaluate.inputs!['model']).toBe('cut.model');
    expect(evaluate.when).toBe("cut.sparsity > 0.1 and 'prune.model' != ''");
    expect(renamed.layout!['sweep/cut']).toEqual({ x: 32, y: 64 });
    expect(renamed.layout).not.toHaveProperty('sweep/prune');
  });

  it('follows a group with all that is in it', () => {
    const renamed = renameStage(sweep, 'sweep', 'grid');
    expect(findStage(renamed, 'compare')!.inputs).toEqual({ measurements: 'grid.measurement' });
    expect(ids(renamed)).toContain('grid/prune');
    expect(renamed.layout!['grid/evaluate']).toEqual({ x: 320, y: 64 });
  });

  it('leaves a stage of the same name in another group alone', () => {
    const { document } = addStage(sweep, '', {
      id: 'prune',
      kind: 'prune.magnitude',
      inputs: { model: 'train.model' },
    });
    const renamed = renameStage(document, 'prune', 'other');
    expect(findStage(renamed, 'sweep/evaluate')!.inputs!['model']).toBe('prune.model');
  });

  it('is undone by renaming back', () =>
    expect(renameStage(renameStage(quickstartDocument, 'train', 'x'), 'x', 'train')).toEqual(quickstartDocument));

  it('says why an id cannot be', () => {
    expect(renameFault(quickstartDocument, 'train', '9lives')).toMatch(/^an id is a letter/);
    expect(renameFault(quickstartDocument, 'train', 'prune')).toBe("another stage is called 'prune'");
    expect(renameFault(sweep, 'sweep/prune', 'train')).toBeUndefined();
  });

  it('renames a parameter of the workflow in every text', () => {
    const renamed = renameParameter(
      {
        ...sweep,
        stages: [...sweep.stages, { id: 'a', kind: 'x', parameters: { path: 'a/${sparsities + 1}/sparsities' } }],
      },
      'sparsities',
      'shares',
    );
    expect(findStage(renamed, 'sweep')!.matrix!.values).toEqual({ sparsity: '${shares}' });
    expect(findStage(renamed, 'a')!.parameters).toEqual({ path: 'a/${shares + 1}/sparsities' });
    expect(Object.keys(renamed.parameters!)).toEqual(['shares']);
  });
});

describe('adding and removing', () => {
  it('gives a new stage an id of its own', () => {
    const once = addStage(quickstartDocument, '', { id: 'prune', kind: 'prune.wanda' }, { x: 1, y: 2 });
    expect(once.path).toBe('prune-2');
    expect(addStage(once.document, '', { id: 'prune-2', kind: 'prune.wanda' }).path).toBe('prune-3');
    expect(once.document.layout!['prune-2']).toEqual({ x: 1, y: 2 });
  });

  it('removes the edges and the place of a stage with it', () => {
    const removed = removeStages(quickstartDocument, ['recover']);
    expect(findStage(removed, 'export')).toEqual({ id: 'export', kind: 'export.huggingface' });
    expect(removed.layout).not.toHaveProperty('recover');
    const without = removeStages(quickstartDocument, ['export', 'report']);
    expect(without).not.toHaveProperty('outputs');
  });

  it('removes a group with what is in it', () => {
    const removed = removeStages(sweep, ['sweep', 'sweep/prune']);
    expect(ids(removed)).toEqual(['text', 'train', 'compare']);
    expect(Object.keys(removed.layout!)).toEqual(['text', 'train', 'compare']);
  });

  it('keeps what it does not know', () => {
    const strange = { ...sweep, note: 1, stages: sweep.stages.map((stage) => ({ ...stage, colour: 'red' })) };
    const changed = moveStages(removeStages(strange, ['compare']), { text: { x: 5.4, y: 5 } });
    expect(changed['note']).toBe(1);
    expect(changed.stages.every((stage) => stage['colour'] === 'red')).toBe(true);
    expect(changed.layout!['text']).toEqual({ x: 5, y: 5 });
  });
});

describe('copying', () => {
  it('keeps the edges among the copies and those from outside', () => {
    const { document, paths } = duplicateStages(quickstartDocument, ['prune', 'recover']);
    expect(paths).toEqual(['prune-2', 'recover-2']);
    expect(findStage(document, 'recover-2')!.inputs).toEqual({ model: 'prune-2.model', data: 'text.data' });
    expect(findStage(document, 'prune-2')!.inputs).toEqual({
      model: 'train.model',
      statistics: 'calibrate.statistics',
    });
    expect(document.layout!['prune-2']).toEqual({ x: 760, y: 220 });
  });

  it('leaves edges out that the other document has no stage for', () => {
    const clip = parseClip(JSON.stringify(copyStages(quickstartDocument, ['prune', 'recover'])))!;
    const { document } = pasteStages({ name: 'other', stages: [{ id: 'text', kind: 'data.text' }] }, '', clip, {
      x: 0,
      y: 0,
    });
    expect(findStage(document, 'prune')).not.toHaveProperty('inputs');
    expect(findStage(document, 'recover')!.inputs).toEqual({ model: 'prune.model', data: 'text.data' });
  });

  it('copies a group as a whole', () => {
    const { document, paths } = duplicateStages(sweep, ['sweep', 'sweep/prune']);
    expect(paths).toEqual(['sweep-2']);
    expect(findStage(document, 'sweep-2/evaluate')).toEqual(findStage(sweep, 'sweep/evaluate'));
    expect(document.layout!['sweep-2/prune']).toEqual({ x: 32, y: 64 });
  });

  it('takes nothing from text that is something else', () => {
    expect(parseClip('hello')).toBeUndefined();
    expect(parseClip('{"pipelines":"stages","stages":[{}]}')).toBeUndefined();
  });
});

describe('grouping', () => {
  it('makes outputs of what others take, and is undone without a trace', () => {
    const { document, path } = groupStages(quickstartDocument, ['calibrate', 'prune', 'recover']);
    expect(findStage(document, path)!.outputs).toEqual({ model: 'prune.model', 'recover-model': 'recover.model' });
    expect(findStage(document, 'export')!.inputs).toEqual({ model: 'group.recover-model' });
    expect(findStage(document, 'group/prune')!.inputs).toEqual({
      model: 'train.model',
      statistics: 'calibrate.statistics',
    });
    expect(localFaults(document, catalog)).toEqual([]);

    const back = ungroupStages(document, path);
    expect(back.paths).toEqual(['calibrate', 'prune', 'recover']);
    const found = difference(quickstartDocument, back.document);
    expect(found).toEqual({ stages: [], document: [], moved: false });
  });

  it('rewrites conditions and keeps a path into the output', () => {
    const document = {
      ...sweep,
      stages: sweep.stages.map((stage) =>
        stage.id === 'compare' ? { ...stage, when: 'text.bitsPerCharacter < 4' } : stage,
      ),
    };
    const grouped = groupStages(document, ['text', 'train'], 'make').document;
    expect(findStage(grouped, 'compare')!.when).toBe('make.bitsPerCharacter < 4');
    expect(findStage(grouped, 'sweep')!.inputs).toEqual({ dense: 'make.model' });
  });

  it('refuses a stage left out between two', () =>
    expect(groupFault(quickstartDocument, ['calibrate', 'recover'])).toBe(
      "'prune' stands between them: it is fed by the group and feeds it",
    ));

  it('groups inside of a group, and passes its inputs on', () => {
    expect(groupFault(sweep, ['sweep/prune'])).toBeUndefined();
    const { document } = groupStages(sweep, ['sweep/prune'], 'inner');
    expect(findStage(document, 'sweep/inner')!.inputs).toEqual({ dense: 'inputs.dense' });
    expect(findStage(document, 'sweep/evaluate')!.inputs!['model']).toBe('inner.model');
    expect(findStage(document, 'sweep/evaluate')!.when).toContain('inner.sparsity > 0.1');
    expect(localFaults(document, joining)).toEqual([]);
    expect(ungroupStages(document, 'sweep/inner').document).toEqual(sweep);
  });

  it('does not dissolve a matrix', () =>
    expect(ungroupFault(sweep, 'sweep')).toBe(
      "'sweep' runs once for each value of its matrix: remove the matrix first",
    ));

  it('gives the condition of the group to its stages', () => {
    const plain = {
      ...sweep,
      stages: sweep.stages.map((stage) => (stage.id === 'sweep' ? { ...stage, matrix: undefined, when: 'a' } : stage)),
    };
    const { document } = ungroupStages(plain, 'sweep');
    expect(findStage(document, 'prune')!.when).toBe('a');
    expect(findStage(document, 'evaluate')!.when).toBe("(a) and (prune.sparsity > 0.1 and 'prune.model' != '')");
    expect(findStage(document, 'prune')!.inputs).toEqual({ model: 'train.model' });
    expect(document.layout!['prune']).toEqual({ x: 632, y: 64 });
  });
});
