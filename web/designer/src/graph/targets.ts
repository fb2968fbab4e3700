/** What could be connected to a port: the stages that are there, and the kinds that could be added. */
import { walk, isGroup, type Catalog, type Port, type WorkflowDocument } from './document';
import { canConnect, fits, inputPort, outputPort, type Endpoint, type Verdict } from './connect';
import { portsOf } from './ports';

interface Candidate {
  end: Endpoint;
  port: Port;
  verdict: Verdict;
}

export type Side = 'output' | 'input';

/** The other ends that a port may be joined to; a port that is taken is among them, at the end. */
export function candidates(document: WorkflowDocument, catalog: Catalog, at: Endpoint, side: Side): Candidate[] {
  const ends = walk(document).flatMap(({ path, stage }): Endpoint[] => {
    const { inputs, outputs } = portsOf(document, path, catalog);
    const outside = (side === 'output' ? inputs : outputs).map((port) => ({ stage: path, port: port.name }));
    const inside = (side === 'output' ? outputs : inputs).map((port) => ({
      stage: path,
      port: port.name,
      inner: true,
    }));
    return isGroup(stage) ? [...outside, ...inside] : outside;
  });
  const given = side === 'input' ? Object.keys(document.inputs ?? {}) : [];
  ends.push(...given.map((port) => ({ stage: '', port, inner: true })));
  const found = ends.flatMap((end): Candidate[] => {
    const verdict = side === 'output' ? canConnect(document, catalog, at, end) : canConnect(document, catalog, end, at);
    if (!verdict.ok && verdict.code !== 'occupied') return [];
    const port = side === 'output' ? inputPort(document, catalog, end) : outputPort(document, catalog, end);
    return port ? [{ end, port, verdict }] : [];
  });
  return [...found.filter((one) => one.verdict.ok), ...found.filter((one) => !one.verdict.ok)];
}

interface Fitting {
  kind: string;
  port: string;
}

/** The kinds with a port that fits a type, and the first such port; required inputs before optional ones. */
export function fittingKinds(catalog: Catalog, type: string, side: Side): Fitting[] {
  return [...catalog.values()].flatMap((activity) => {
    const ports =
      side === 'output'
        ? activity.inputs
            .filter((port) => fits(type, port.type))
            .sort((a, b) => Number(a.optional) - Number(b.optional))
        : activity.outputs.filter((port) => fits(port.type, type));
    return ports[0] ? [{ kind: activity.kind, port: ports[0].name }] : [];
  });
}
