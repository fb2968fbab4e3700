/** What can be said about a document without asking the server. */
import {
  findStage,
  isGroup,
  parentOf,
  walk,
  type Catalog,
  type Json,
  type Path,
  type WorkflowDocument,
} from './document';
import { isPlaceholder, placeholderFault } from './elsa';
import { fieldFault, fieldsOf } from './form';
import { fits } from './connect';
import { portsOf, typeOf } from './ports';
import { groupInputs, parseSource, resolve, sourcesOf } from './references';

export interface Fault {
  /** The stage; null for the document itself. */
  stage: Path | null;
  /** The port or parameter that is wrong, `inputs.model`; null for the stage as a whole. */
  field: string | null;
  message: string;
}

export function localFaults(document: WorkflowDocument, catalog: Catalog): Fault[] {
  const faults = walk(document).flatMap(({ path }) => stageFaults(document, catalog, path));
  for (const [name, source] of Object.entries(document.outputs ?? {}))
    for (const text of sourcesOf(source)) {
      const message = sourceFault(document, catalog, '', text);
      if (message) faults.push({ stage: null, field: `outputs.${name}`, message: `output '${name}' ${message}` });
    }
  return faults;
}

function stageFaults(document: WorkflowDocument, catalog: Catalog, path: Path): Fault[] {
  const stage = findStage(document, path)!;
  const faults: Fault[] = [];
  const add = (field: string | null, message: string) => faults.push({ stage: path, field, message });
  const ports = portsOf(document, path, catalog);
  const scope = parentOf(path);

  if (isGroup(stage) && stage.stages!.length === 0) add(null, 'the group has no stages');
  if (!isGroup(stage) && stage.workflow === undefined && !catalog.has(stage.kind ?? ''))
    add(
      'kind',
      isPlaceholder(stage)
        ? placeholderFault(stage.kind!)
        : stage.kind
          ? `no activity of kind '${stage.kind}'`
          : 'the stage has no kind',
    );
  for (const [name, source] of Object.entries(stage.inputs ?? {})) {
    const port = ports.inputs.find((one) => one.name === name);
    if (!port) {
      add(`inputs.${name}`, `there is no input '${name}'`);
      continue;
    }
    for (const text of sourcesOf(source)) {
      const message = sourceFault(document, catalog, scope, text);
      const type = typeOf(document, scope, text, catalog);
      if (message) add(`inputs.${name}`, `input '${name}' ${message}`);
      else if (!fits(type, port.type))
        add(`inputs.${name}`, `input '${name}' takes a ${port.type}, but ${text} is a ${type}`);
    }
  }
  for (const port of ports.inputs)
    if (!port.optional && stage.inputs?.[port.name] === undefined)
      add(`inputs.${port.name}`, `input '${port.name}' (${port.type}) is not connected`);
  if (isGroup(stage))
    for (const [name, source] of Object.entries(stage.outputs ?? {}))
      for (const text of sourcesOf(source)) {
        const message = sourceFault(document, catalog, path, text);
        if (message) add(`outputs.${name}`, `output '${name}' ${message}`);
      }

  const activity = stage.kind === undefined ? undefined : catalog.get(stage.kind);
  if (activity) {
    const fields = fieldsOf(activity.parameters);
    for (const field of fields) {
      const message = fieldFault(field, stage.parameters?.[field.name] as Json | undefined);
      if (message) add(`parameters.${field.name}`, `${field.name}: ${message}`);
    }
    for (const name of Object.keys(stage.parameters ?? {}))
      if (!fields.some((field) => field.name === name)) add(`parameters.${name}`, `unknown parameter '${name}'`);
  }
  return faults;
}

function sourceFault(document: WorkflowDocument, catalog: Catalog, scope: Path, text: string): string | undefined {
  const name = parseSource(text);
  if (!name) return `is '${text}': expected stage.port`;
  if (name.stage === groupInputs) {
    const inputs = scope === '' ? document.inputs : findStage(document, scope)?.inputs;
    return name.port in (inputs ?? {})
      ? undefined
      : `comes from '${text}', which the ${scope === '' ? 'workflow' : 'group'} does not have`;
  }
  const path = resolve(document, scope, name.stage);
  if (path === undefined) return `comes from '${text}', but there is no stage '${name.stage}'`;
  const ports = portsOf(document, path, catalog);
  return !ports.known || ports.outputs.some((port) => port.name === name.port)
    ? undefined
    : `comes from '${text}', but '${name.stage}' has no output '${name.port}'`;
}

/** The faults of the server and those found here, none twice: the server's words count. */
export function mergeFaults(local: Fault[], server: Fault[]): Fault[] {
  const said = new Set(server.map((fault) => `${fault.stage}|${fault.field}`));
  const stages = new Set(
    server.filter((fault) => fault.field === null).map((fault) => `${fault.stage}|${fault.message}`),
  );
  return [
    ...server,
    ...local.filter(
      (fault) => !said.has(`${fault.stage}|${fault.field}`) && !stages.has(`${fault.stage}|${fault.message}`),
    ),
  ];
}
