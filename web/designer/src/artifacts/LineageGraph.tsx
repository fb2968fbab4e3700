import { useMemo } from 'react';
import type { Lineage } from '../api';
import { linkTo } from '../hooks/useRoute';
import { layLineage, type LaidNode } from './lineage';

/** Artifacts and the stages between them; each leads to its page. */
export function LineageGraph({ lineage, current }: { lineage: Lineage; current?: string }) {
  const laid = useMemo(() => layLineage(lineage), [lineage]);
  return (
    <div className="lineage" role="region" aria-label="Lineage" tabIndex={0}>
      <svg
        width={laid.width}
        height={laid.height}
        role="group"
        aria-label={`${laid.nodes.length} artifacts and stages`}
      >
        {laid.edges.map((edge) => (
          <path key={edge.id} className="line" d={edge.path} />
        ))}
        {laid.nodes.map((node) => (
          <a key={node.id} href={targetOf(node)} aria-label={`${node.kind} ${node.label}`}>
            <g
              transform={`translate(${node.x} ${node.y})`}
              className={`${node.kind} ${node.hash && node.hash === current ? 'current' : ''}`}
            >
              <rect width={node.width} height={node.height} rx={node.kind === 'artifact' ? 17 : 6} />
              <text x={node.width / 2} y={node.height / 2} dy="0.35em" textAnchor="middle">
                {fitted(node)}
              </text>
              <title>{[node.label, node.hash ?? node.stage].filter(Boolean).join('\n')}</title>
            </g>
          </a>
        ))}
      </svg>
    </div>
  );
}

const targetOf = (node: LaidNode): string | undefined =>
  node.kind === 'artifact'
    ? node.hash
      ? linkTo('artifacts', node.hash)
      : undefined
    : node.run
      ? linkTo('runs', node.run)
      : undefined;

const fitted = ({ label, width }: LaidNode): string => {
  const most = Math.floor((width - 24) / 6.6);
  return label.length > most ? `${label.slice(0, most - 1)}…` : label;
};
