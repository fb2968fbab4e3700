import { useEffect } from 'react';
import { Background, BackgroundVariant, Controls, MiniMap, useStore } from '@xyflow/react';
import { mapColour } from './colours';
import { GroupNode } from './GroupNode';
import { NoteNode } from './NoteNode';
import type { CanvasNode } from './notes';
import { StageNode } from './StageNode';

/** How every canvas draws and moves, whatever can be done on it. */
export const canvasProps = {
  nodeTypes: { stage: StageNode, group: GroupNode, note: NoteNode },
  // Keys are the commands'.
  deleteKeyCode: null,
  minZoom: 0.1,
  fitView: true,
  // All of it is seen first, unless the screen is so small that nothing could be read.
  fitViewOptions: { padding: 0.1, maxZoom: 1, minZoom: window.innerWidth < 720 ? 0.5 : 0.1 },
  proOptions: { hideAttribution: true },
};

// Where a name is four pixels high.
const afar = 0.35;

/** What lies around the graph: dots, zoom, and a small map. */
export function Backdrop({ map }: { map: string }) {
  useAfar();
  return (
    <>
      <Background variant={BackgroundVariant.Dots} gap={24} size={1.5} />
      <Controls showInteractive={false} />
      <MiniMap<CanvasNode> style={{ width: 150, height: 96 }} pannable zoomable ariaLabel={map} nodeColor={mapColour} />
    </>
  );
}

// The canvas says when it is seen from so far that nothing on a stage can be read; a stage is a box with a large name then.
function useAfar(): void {
  const canvas = useStore((state) => state.domNode);
  const isAfar = useStore((state) => state.transform[2] < afar);
  useEffect(() => void canvas?.toggleAttribute('data-afar', isAfar), [canvas, isAfar]);
}
