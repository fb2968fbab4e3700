/** Joining stages: by a drag, from a port's list, or by keys. */
import { canConnect, connect, outputPort, inputPort, sourceText, type Endpoint } from '../graph/connect';
import { idOf, parentOf, type Path, type Position } from '../graph/document';
import { addStage } from '../graph/edit';
import { absolutePosition, endpointOf } from '../graph/graph';
import { candidates, fittingKinds, type Side } from '../graph/targets';
import type { PickerItem } from '../parts/Picker';
import { familyOf, familyStyle, typeStyle } from '../canvas/colours';
import { portsOf } from '../graph/ports';
import { change, currentDocument, notify, pick, select, type Screen, useEditor } from './store';
import { graphNow, selected, boxes, free, stageOf, reveal } from './actions';

const get = useEditor.getState;

/** Joins two ports. One that is taken asks whether to replace what feeds it or to come after it. */
export function join(from: Endpoint, to: Endpoint, at?: Screen): void {
  const document = currentDocument();
  const verdict = canConnect(document, get().catalog, from, to);
  if (verdict.ok) return change((now) => connect(now, from, to));
  if (verdict.code !== 'occupied') return notify(`Not connected: ${verdict.reason}`);
  pick(
    verdict.reason,
    [
      {
        id: 'replace',
        label: `Replace by ${sourceText(from)}`,
        run: () => change((now) => connect(now, from, to, 'replace')),
      },
      {
        id: 'append',
        label: `Add ${sourceText(from)} as the next choice`,
        detail: 'the first that was not skipped counts',
        run: () => change((now) => connect(now, from, to, 'append')),
      },
    ],
    at,
  );
}

/** Offers all that a port can be joined to: stages that are there, and kinds to be added. */
export function offerConnections(end: Endpoint, side: Side, at?: Screen, place?: Position): void {
  const document = currentDocument();
  const { catalog } = get();
  const own = side === 'output' ? outputPort(document, catalog, end) : inputPort(document, catalog, end);
  if (!own) return;
  const there = candidates(document, catalog, end, side).map(
    ({ end: other, port, verdict }): PickerItem => ({
      id: `${other.stage}.${port.name}${other.inner ?? ''}`,
      label: other.inner ? `${other.stage || 'workflow'} ▸ ${port.name}` : `${other.stage}.${port.name}`,
      detail: verdict.ok ? port.type : 'taken: replace, or the next choice',
      section: 'Stages of this workflow',
      style: typeStyle(port.type),
      run: () => (side === 'output' ? join(end, other, at) : join(other, end, at)),
    }),
  );
  const kinds = fittingKinds(catalog, own.type, side).map(
    ({ kind, port }): PickerItem => ({
      id: kind,
      label: kind,
      detail: catalog.get(kind)!.description,
      section: side === 'output' ? 'Add a stage that takes it' : 'Add a stage that makes it',
      style: familyStyle(familyOf(kind)),
      run: () => addConnected(kind, port, end, side, place),
    }),
  );
  pick(`Connect ${end.stage}.${end.port} (${own.type})`, place ? [...kinds, ...there] : [...there, ...kinds], at);
}

function addConnected(kind: string, port: string, end: Endpoint, side: Side, place?: Position): void {
  const scope = end.inner ? end.stage : parentOf(end.stage);
  const node = boxes([end.stage])[0];
  const { nodes } = graphNow();
  const corner = scope === '' ? { x: 0, y: 0 } : absolutePosition(nodes, scope);
  const beside = node
    ? free(
        { x: node.position.x + (side === 'output' ? node.size.width + 72 : -node.size.width - 72), y: node.position.y },
        scope || undefined,
      )
    : { x: 40, y: 70 };
  const at = place ? { x: place.x - corner.x, y: place.y - corner.y } : beside;
  let path = '';
  change((document) => {
    const added = addStage(document, scope, stageOf(kind), at);
    path = added.path;
    const other = { stage: path, port };
    const [from, to] = side === 'output' ? [end, other] : [other, end];
    const verdict = canConnect(added.document, get().catalog, from, to);
    return verdict.ok || verdict.code === 'occupied' ? connect(added.document, from, to, 'replace') : added.document;
  });
  select([path]);
  setTimeout(() => reveal(path), 30);
}

/** The keyboard's way to an edge: a port of the chosen stage, then what fits it. */
export function offerPorts(): void {
  const [path] = selected();
  if (path === undefined) return notify('Choose a stage first: arrow keys walk the graph');
  const { inputs, outputs } = portsOf(currentDocument(), path, get().catalog);
  const item = (port: { name: string; type: string }, side: Side): PickerItem => ({
    id: `${side}.${port.name}`,
    label: port.name,
    detail: port.type,
    section: side === 'output' ? 'Outputs: feed another stage' : 'Inputs: be fed by another stage',
    style: typeStyle(port.type),
    run: () => offerConnections({ stage: path, port: port.name }, side),
  });
  pick(`Connect which port of ${idOf(path)}?`, [
    ...outputs.map((port) => item(port, 'output')),
    ...inputs.map((port) => item(port, 'input')),
  ]);
}

export const endpointAt = (scope: Path, text: string): Endpoint | undefined =>
  endpointOf(currentDocument(), scope, text);
