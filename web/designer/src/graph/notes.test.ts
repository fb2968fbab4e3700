import { describe, expect, it } from 'vitest';
import { emptyDocument } from './document';
import { difference, isSame } from './difference';
import { addNote, changeNote, colourOf, removeNote } from './notes';

const one = addNote(emptyDocument('w'), { text: 'Look here', x: 10.4, y: -3.6 });

describe('a note', () => {
  it('is added, on whole pixels', () => expect(one.notes).toEqual([{ text: 'Look here', x: 10, y: -4 }]));

  it('is changed without the others', () => {
    const two = addNote(one, { text: 'And there', x: 0, y: 0, width: 300, height: 100 });
    const changed = changeNote(two, 1, { text: 'Elsewhere', width: 20 });
    expect(changed.notes).toEqual([one.notes![0], { text: 'Elsewhere', x: 0, y: 0, width: 120, height: 100 }]);
    expect(two.notes![1]!.text).toBe('And there');
  });

  it('that stays as it is makes no step to be undone', () => {
    expect(changeNote(one, 0, { x: 10 })).toBe(one);
    expect(changeNote(one, 7, { x: 10 })).toBe(one);
  });

  it('is removed, and with the last one the member', () => {
    expect(removeNote(one, 0)).toEqual({ name: 'w', stages: [] });
    expect(removeNote(one, 1)).toBe(one);
  });

  it('of a colour nobody knows is yellow', () => {
    expect(colourOf({ text: '', x: 0, y: 0, colour: 'rose' })).toBe('rose');
    expect(colourOf({ text: '', x: 0, y: 0, colour: '#123456' })).toBe('yellow');
  });

  it('is no change of the workflow', () => {
    const found = difference(emptyDocument('w'), one);
    expect(isSame(found)).toBe(true);
    expect(found.moved).toBe(true);
  });
});
