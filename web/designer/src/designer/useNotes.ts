import { useCallback, useEffect, useState } from 'react';
import { applyNodeChanges, type NodeChange } from '@xyflow/react';
import { noteIndex, noteNodes, type NoteFlowNode } from '../canvas/notes';
import { changeNote } from '../graph/notes';
import { change, chooseNote, useDocument, useEditor } from './store';

/** The notes of the open document as nodes; what is dragged lives here until it is let go. */
export function useNotes() {
  const document = useDocument();
  const chosen = useEditor((state) => state.note);
  const [nodes, setNodes] = useState<NoteFlowNode[]>(() => noteNodes(document, [], chosen));
  useEffect(() => setNodes((before) => noteNodes(document, before, chosen)), [document, chosen]);

  const onChanges = useCallback((changes: NodeChange<NoteFlowNode>[]) => {
    for (const one of changes)
      if (one.type === 'select') {
        const index = noteIndex(one.id)!;
        if (one.selected) chooseNote(index);
        else if (useEditor.getState().note === index) chooseNote(undefined);
      }
    const moves = changes.filter((one) => one.type === 'position' || one.type === 'dimensions');
    if (moves.length > 0) setNodes((before) => applyNodeChanges(moves, before));
  }, []);
  return { nodes, onChanges };
}

/** Puts notes where they were let go; one step to be undone. */
export function placeNotes(moved: NoteFlowNode[]): void {
  change((document) => moved.reduce((now, node) => changeNote(now, noteIndex(node.id)!, node.position), document));
}
