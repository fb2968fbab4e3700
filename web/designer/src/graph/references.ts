/** What refers to an output or a parameter: sources of inputs, and names in expressions. */
import {
  findStage,
  isGroup,
  join,
  parentOf,
  type Path,
  type Source,
  type Stage,
  type WorkflowDocument,
} from './document';

export interface OutputName {
  stage: string;
  port: string;
}

/** The stage id that stands for the inputs of the group around: `inputs.model`. */
export const groupInputs = 'inputs';

export function parseSource(text: string): OutputName | undefined {
  const dot = text.indexOf('.');
  return dot > 0 && dot < text.length - 1 ? { stage: text.slice(0, dot), port: text.slice(dot + 1) } : undefined;
}

export const sourcesOf = (source: Source | undefined): string[] =>
  source === undefined ? [] : Array.isArray(source) ? source : [source];

/** One source is written as text, several as a list, none not at all; a list that stays as long stays a list. */
function mapSource(source: Source, change: (text: string) => string[]): Source | undefined {
  if (!Array.isArray(source)) {
    const changed = change(source);
    return changed.length > 1 ? changed : changed[0];
  }
  const changed = source.flatMap(change);
  if (changed.length === 0) return undefined;
  return changed.length === source.length && changed.every((text, index) => text === source[index]) ? source : changed;
}

interface Name {
  parts: string[];
  start: number;
  end: number;
}

const word = /[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*/y;

/** The names in an expression; words of the language and functions are not among them. */
export function namesIn(expression: string): Name[] {
  const names: Name[] = [];
  for (let at = 0; at < expression.length; ) {
    const character = expression[at]!;
    if (character === "'" || character === '"') {
      at = endOfString(expression, at);
      continue;
    }
    if (/[0-9]/.test(character)) {
      at += /^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/.exec(expression.slice(at))![0].length;
      continue;
    }
    word.lastIndex = at;
    const found = word.exec(expression);
    if (!found) {
      at++;
      continue;
    }
    const end = at + found[0].length;
    const reserved = ['and', 'or', 'not', 'true', 'false', 'null'].includes(found[0]);
    if (!reserved && !/^\s*\(/.test(expression.slice(end))) names.push({ parts: found[0].split('.'), start: at, end });
    at = end;
  }
  return names;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== text[start]) at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

export function mapNames(expression: string, change: (parts: string[]) => string[]): string {
  let mapped = '';
  let done = 0;
  for (const name of namesIn(expression)) {
    mapped += expression.slice(done, name.start) + change(name.parts).join('.');
    done = name.end;
  }
  return mapped + expression.slice(done);
}

/** Changes the names inside of every `${…}` of a text. */
export function mapTemplate(text: string, change: (parts: string[]) => string[]): string {
  let mapped = '';
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf('${', at);
    if (start < 0) return mapped + text.slice(at);
    let end = start + 2;
    while (end < text.length && text[end] !== '}')
      end = text[end] === "'" || text[end] === '"' ? endOfString(text, end) : end + 1;
    mapped += text.slice(at, start + 2) + mapNames(text.slice(start + 2, end), change);
    at = end;
  }
  return mapped;
}

/** The stage that an id means in a scope: the nearest one outwards. */
export function resolve(document: WorkflowDocument, scope: Path, id: string): Path | undefined {
  for (let at = scope; ; at = parentOf(at)) {
    const path = join(at, id);
    if (findStage(document, path)) return path;
    if (at === '') return undefined;
  }
}

/** Answers with what to write instead: none removes the source, several make a list. */
type ReferenceChange = (name: OutputName, scope: Path) => OutputName[];

/** Rewrites every reference to an output. What does not change keeps its identity. */
export function mapReferences(document: WorkflowDocument, change: ReferenceChange): WorkflowDocument {
  const stages = mapStages(document.stages ?? [], '', change);
  const outputs = mapSources(document.outputs, '', change);
  if (stages === document.stages && outputs === document.outputs) return document;
  const mapped: WorkflowDocument = { ...document, stages };
  if (outputs === undefined) delete mapped.outputs;
  else mapped.outputs = outputs;
  return mapped;
}

function mapStages(stages: Stage[], scope: Path, change: ReferenceChange): Stage[] {
  const mapped = stages.map((stage) => mapStage(stage, scope, change));
  return mapped.some((stage, index) => stage !== stages[index]) ? mapped : stages;
}

function mapStage(stage: Stage, scope: Path, change: ReferenceChange): Stage {
  const path = join(scope, stage.id);
  const inside = isGroup(stage) ? path : scope;
  const expression = (text: string, at: Path) =>
    mapNames(text, (parts) => {
      if (parts.length < 2) return parts;
      const to = change({ stage: parts[0]!, port: parts[1]! }, at)[0];
      return to ? [to.stage, to.port, ...parts.slice(2)] : parts;
    });

  const changed: Stage = { ...stage };
  const inputs = mapSources(stage.inputs, scope, change);
  if (inputs === undefined) delete changed.inputs;
  else changed.inputs = inputs;
  if (isGroup(stage)) {
    const outputs = mapSources(stage.outputs, path, change);
    if (outputs === undefined) delete changed.outputs;
    else changed.outputs = outputs;
    changed.stages = mapStages(stage.stages!, path, change);
  }
  if (typeof stage.when === 'string') changed.when = expression(stage.when, scope);
  if (typeof stage.repeat?.until === 'string') {
    const until = expression(stage.repeat.until, inside);
    if (until !== stage.repeat.until) changed.repeat = { ...stage.repeat, until };
  }
  const same = (['inputs', 'outputs', 'stages', 'when', 'repeat'] as const).every(
    (name) => changed[name] === stage[name],
  );
  return same ? stage : changed;
}

function mapSources(
  members: Record<string, Source> | undefined,
  scope: Path,
  change: ReferenceChange,
): Record<string, Source> | undefined {
  if (members === undefined) return undefined;
  const mapped: Record<string, Source> = {};
  let same = true;
  for (const [name, source] of Object.entries(members)) {
    const to = mapSource(source, (text) => {
      const output = parseSource(text);
      return output ? change(output, scope).map(({ stage, port }) => `${stage}.${port}`) : [text];
    });
    same &&= to === source;
    if (to !== undefined) mapped[name] = to;
  }
  if (same) return members;
  return Object.keys(mapped).length === 0 ? undefined : mapped;
}
