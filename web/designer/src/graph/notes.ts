/** Notes on the canvas: they say something to people, and nothing to the run. */
import { withProperty, type Note, type WorkflowDocument } from './document';

export const noteColours = ['yellow', 'blue', 'green', 'rose', 'grey'] as const;
type NoteColour = (typeof noteColours)[number];
export const colourOf = (note: Note): NoteColour => noteColours.find((one) => one === note.colour) ?? 'yellow';

export const noteSize = { width: 240, height: 120 };
export const leastNote = { width: 120, height: 60 };

export const addNote = (document: WorkflowDocument, note: Note): WorkflowDocument => ({
  ...document,
  notes: [...(document.notes ?? []), rounded(note)],
});

/** Changes one of the notes; one that becomes the same is no change. */
export function changeNote(document: WorkflowDocument, index: number, change: Partial<Note>): WorkflowDocument {
  const before = document.notes?.[index];
  if (!before) return document;
  const after = rounded({ ...before, ...change });
  const isSame = Object.entries(after).every(([name, value]) => before[name as keyof Note] === value);
  return isSame
    ? document
    : { ...document, notes: document.notes!.map((note, place) => (place === index ? after : note)) };
}

export function removeNote(document: WorkflowDocument, index: number): WorkflowDocument {
  if (!document.notes?.[index]) return document;
  const left = document.notes.filter((_, place) => place !== index);
  return withProperty(document, 'notes', left.length > 0 ? left : undefined);
}

const rounded = (note: Note): Note => ({
  ...note,
  x: Math.round(note.x),
  y: Math.round(note.y),
  ...(note.width === undefined ? {} : { width: Math.round(Math.max(note.width, leastNote.width)) }),
  ...(note.height === undefined ? {} : { height: Math.round(Math.max(note.height, leastNote.height)) }),
});
