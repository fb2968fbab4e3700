import { memo, useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { NodeResizer, type NodeProps } from '@xyflow/react';
import { colourOf, leastNote, noteColours } from '../graph/notes';
import { useCanvas } from './canvasStore';
import type { NoteFlowNode } from './notes';

/** A note. Enter or a double click writes in it; Escape or leaving it ends that. */
export const NoteNode = memo(function NoteNode({ data: { note, index }, selected }: NodeProps<NoteFlowNode>) {
  const onNote = useCanvas((state) => state.onNote);
  const [draft, setDraft] = useState<string>();
  const box = useRef<HTMLTextAreaElement>(null);
  const isWriting = draft !== undefined;
  useEffect(() => box.current?.focus(), [isWriting]);
  const begin = () => onNote && setDraft(note.text);
  const end = () => {
    if (draft !== undefined && draft !== note.text) onNote?.(index, { text: draft });
    setDraft(undefined);
  };
  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape') end();
  };
  return (
    <div className={`note note-${colourOf(note)} ${selected ? 'selected' : ''}`} onDoubleClick={begin}>
      {onNote && (
        <NodeResizer
          isVisible={selected && !isWriting}
          minWidth={leastNote.width}
          minHeight={leastNote.height}
          onResizeEnd={(_, { x, y, width, height }) => onNote(index, { x, y, width, height })}
        />
      )}
      {isWriting ? (
        <textarea
          ref={box}
          className="nodrag nowheel"
          aria-label="Text of the note"
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={end}
          onKeyDown={keys}
        />
      ) : (
        <p>{note.text || (onNote ? 'Double-click to write' : '')}</p>
      )}
      {selected && onNote && !isWriting && (
        <div className="note-tools nodrag">
          <button type="button" className="small" onClick={begin}>
            Write
          </button>
          {noteColours.map((colour) => (
            <button
              key={colour}
              type="button"
              className={`swatch note-${colour}`}
              aria-label={colour}
              aria-pressed={colourOf(note) === colour}
              onClick={() => onNote(index, { colour })}
            />
          ))}
        </div>
      )}
    </div>
  );
});
