import { useMemo } from 'react';
import { familyHue, familyOf } from '../canvas/colours';
import type { Catalog, WorkflowDocument } from '../graph/document';
import { absolutePosition, toGraph } from '../graph/graph';
import { placeMissing } from '../graph/layout';

/** A workflow in small. */
export function Thumbnail({ document, catalog }: { document: WorkflowDocument; catalog: Catalog }) {
  const { boxes, lines, view } = useMemo(() => draw(document, catalog), [document, catalog]);
  return (
    <svg className="thumbnail" viewBox={view} preserveAspectRatio="xMidYMid meet" aria-hidden>
      {lines.map((line) => (
        <path key={line.id} d={line.path} fill="none" />
      ))}
      {boxes.map((box) => (
        <rect
          key={box.path}
          x={box.x}
          y={box.y}
          width={box.width}
          height={box.height}
          rx={14}
          style={{ fill: `hsl(${box.hue} 55% 55% / ${box.isGroup ? 0.15 : 1})` }}
        />
      ))}
    </svg>
  );
}

function draw(document: WorkflowDocument, catalog: Catalog) {
  const { nodes, edges } = toGraph(placeMissing(document, catalog), catalog);
  const boxes = nodes.map((node) => ({
    path: node.path,
    ...absolutePosition(nodes, node.path),
    ...node.size,
    hue: familyHue(familyOf(node.stage.kind)),
    isGroup: node.stage.stages !== undefined,
  }));
  const byPath = new Map(boxes.map((box) => [box.path, box]));
  const lines = edges.flatMap((edge) => {
    const [from, to] = [byPath.get(edge.from.stage), byPath.get(edge.to.stage)];
    if (!from || !to) return [];
    const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
    return [{ id: edge.id, path: `M${x1} ${y1} C${x1 + 90} ${y1} ${x2 - 90} ${y2} ${x2} ${y2}` }];
  });
  const left = Math.min(0, ...boxes.map((box) => box.x)) - 20;
  const top = Math.min(0, ...boxes.map((box) => box.y)) - 20;
  const right = Math.max(200, ...boxes.map((box) => box.x + box.width)) + 20;
  const bottom = Math.max(100, ...boxes.map((box) => box.y + box.height)) + 20;
  return { boxes, lines, view: `${left} ${top} ${right - left} ${bottom - top}` };
}
