import { api, type ImportWarning } from '../api';
import type { WorkflowDocument } from '../graph/document';
import { isElsa } from '../graph/elsa';
import { notify, replaceDocument, show, useEditor } from './store';

/** Hands the document to the browser as a file that the command line reads. */
export function exportFile(): void {
  const { history, name } = useEditor.getState();
  download(`${name}.json`, history.present);
}

export async function exportElsaFile(): Promise<void> {
  const { history, name } = useEditor.getState();
  try {
    download(`${name}.elsa.json`, await api.exportElsa(history.present));
  } catch (failure) {
    notify(`${name}: ${failure instanceof Error ? failure.message : failure}`);
  }
}

function download(name: string, content: unknown): void {
  const link = window.document.createElement('a');
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(content, null, 2)}\n`], { type: 'application/json' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export async function importFile(): Promise<void> {
  const file = await chooseFile();
  if (!file) return;
  const read = await readFile(file);
  if (typeof read === 'string') return notify(`${file.name}: ${read}`);
  replaceDocument(read.document);
  notify(`${file.name} stands in place of the draft; undo brings it back`);
  if (read.warnings.length > 0) show({ kind: 'warnings', warnings: read.warnings });
}

/** The workflow in a file, ours or Elsa's, or what is wrong with it. */
export async function readFile(file: File): Promise<{ document: WorkflowDocument; warnings: ImportWarning[] } | string> {
  const text = await file.text();
  const read = readWorkflow(text);
  if (read !== elsa) return typeof read === 'string' ? read : { document: read, warnings: [] };
  try {
    const { definition, warnings } = await api.importElsa(text);
    return { document: definition, warnings };
  } catch (failure) {
    return failure instanceof Error ? failure.message : `${failure}`;
  }
}

const elsa: unique symbol = Symbol('an Elsa workflow');

export function chooseFile(): Promise<File | undefined> {
  return new Promise((resolve) => {
    const input = window.document.createElement('input');
    input.type = 'file';
    input.accept = '.json,application/json';
    input.onchange = () => resolve(input.files?.[0]);
    input.oncancel = () => resolve(undefined);
    input.click();
  });
}

/** The workflow in a text, or what is wrong with it; what is Elsa's, only the server can read. */
function readWorkflow(text: string): WorkflowDocument | string | typeof elsa {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : 'no JSON';
  }
  if (isElsa(read)) return elsa;
  if (read === null || typeof read !== 'object' || Array.isArray(read))
    return 'a workflow is expected, with a name and stages';
  const { stages } = read as Partial<WorkflowDocument>;
  if (!Array.isArray(stages)) return "'stages' is missing: a workflow is expected";
  const wrong = stages.findIndex((stage) => typeof stage?.id !== 'string');
  return wrong < 0 ? (read as WorkflowDocument) : `stages[${wrong}] has no id`;
}
