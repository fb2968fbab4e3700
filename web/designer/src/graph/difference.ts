/** What distinguishes two documents, stage by stage and parameter by parameter. */
import { walk, type Path, type WorkflowDocument } from './document';

export interface FieldDifference {
  field: string;
  before: unknown;
  after: unknown;
}

interface StageDifference {
  path: Path;
  change: 'added' | 'removed' | 'changed';
  fields: FieldDifference[];
}

interface Difference {
  stages: StageDifference[];
  /** Of the document itself: its description, parameters, outputs. */
  document: FieldDifference[];
  /** Whether stages only stand elsewhere, or the notes beside them changed. */
  moved: boolean;
}

// Of these each member is a field of its own; deeper ones are compared as a whole.
const opened = new Set(['parameters', 'inputs', 'outputs']);

export function difference(before: WorkflowDocument, after: WorkflowDocument): Difference {
  const old = new Map(walk(before).map((placed) => [placed.path, placed.stage]));
  const now = new Map(walk(after).map((placed) => [placed.path, placed.stage]));
  const stages: StageDifference[] = [];
  for (const path of new Set([...now.keys(), ...old.keys()])) {
    const [from, to] = [old.get(path), now.get(path)];
    const fields = fieldDifferences(from ?? {}, to ?? {}, ['id', 'stages']);
    if (!from) stages.push({ path, change: 'added', fields });
    else if (!to) stages.push({ path, change: 'removed', fields });
    else if (fields.length > 0) stages.push({ path, change: 'changed', fields });
  }
  return {
    stages,
    document: fieldDifferences(before, after, ['stages', 'layout', 'notes']),
    moved: !equal(before.layout ?? {}, after.layout ?? {}) || !equal(before.notes ?? [], after.notes ?? []),
  };
}

export const isSame = (found: Difference): boolean => found.stages.length === 0 && found.document.length === 0;

function fieldDifferences(before: object, after: object, left: string[]): FieldDifference[] {
  const [old, now] = [flatten(before, left), flatten(after, left)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((field) => !equal(old.get(field), now.get(field)))
    .map((field) => ({ field, before: old.get(field), after: now.get(field) }));
}

function flatten(value: object, left: string[]): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    if (left.includes(name)) continue;
    if (opened.has(name) && member !== null && typeof member === 'object')
      for (const [inner, one] of Object.entries(member)) fields.set(`${name}.${inner}`, one);
    else fields.set(name, member);
  }
  return fields;
}

/** Equality of JSON; the order of an object's members does not count. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length && names.every((name) => name in right && equal(left[name], right[name]))
  );
}
