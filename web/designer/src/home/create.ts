import { api } from '../api';
import { uniqueName, type WorkflowDocument } from '../graph/document';

/** Saves a document under a name of its own: the one that it has, as far as the server takes it. */
export async function createDefinition(wanted: string, document: WorkflowDocument, taken: string[]): Promise<string> {
  const name = uniqueName(wanted.replace(/[/\\@\p{Cc}]+/gu, '-').slice(0, 90).trim() || 'workflow', taken);
  await api.save(name, { ...document, name }, 0);
  return name;
}
