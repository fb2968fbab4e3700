import { api } from '../api';
import { uniqueName, type WorkflowDocument } from '../graph/document';

/** Saves a document under a name of its own. */
export async function createDefinition(wanted: string, document: WorkflowDocument, taken: string[]): Promise<string> {
  const name = uniqueName(wanted.trim().replace(/[/\\\s]+/g, '-') || 'workflow', taken);
  await api.save(name, { ...document, name }, 0);
  return name;
}
