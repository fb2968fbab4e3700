/** The notes of a document as nodes of the canvas, behind its stages. */
import type { Node } from '@xyflow/react';
import { equal } from '../graph/difference';
import type { Note, WorkflowDocument } from '../graph/document';
import { noteSize } from '../graph/notes';
import type { FlowNode } from './flow';

export type NoteFlowNode = Node<{ note: Note; index: number }, 'note'>;
/** What stands on a canvas. */
export type CanvasNode = FlowNode | NoteFlowNode;
export const isNote = (node: CanvasNode): node is NoteFlowNode => node.type === 'note';

const prefix = 'note:';
const noteId = (index: number): string => `${prefix}${index}`;
/** Which note a node is; undefined for a stage, whose path never has a colon. */
export const noteIndex = (id: string): number | undefined =>
  id.startsWith(prefix) ? Number(id.slice(prefix.length)) : undefined;

export function noteNodes(document: WorkflowDocument, before: NoteFlowNode[], selected?: number): NoteFlowNode[] {
  return (document.notes ?? []).map((note, index): NoteFlowNode => {
    const old = before.find((node) => node.id === noteId(index));
    const isSelected = selected === index;
    if (
      old &&
      old.selected === isSelected &&
      equal(old.data.note, note) &&
      equal(old.position, { x: note.x, y: note.y })
    )
      return old;
    return {
      id: noteId(index),
      type: 'note',
      position: { x: note.x, y: note.y },
      width: note.width ?? noteSize.width,
      height: note.height ?? noteSize.height,
      zIndex: -1,
      selected: isSelected,
      data: { note, index },
      ariaLabel: `Note: ${note.text}`,
    };
  });
}
