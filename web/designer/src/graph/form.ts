/** The form of an activity, from the JSON schema of its parameters. */
import type { Json, ParameterDefinition } from './document';

export type FieldType = 'integer' | 'number' | 'text' | 'boolean' | 'choice' | 'json';

export interface Field {
  name: string;
  type: FieldType;
  nullable: boolean;
  /** Whether it has no default, so that a value must be given. */
  required: boolean;
  default?: Json;
  minimum?: number;
  maximum?: number;
  choices?: string[];
  description?: string;
}

const types: Record<string, FieldType> = { integer: 'integer', number: 'number', string: 'text', boolean: 'boolean' };

export function fieldsOf(schema: Json): Field[] {
  const properties = member(schema, 'properties');
  if (!isObject(properties)) return [];
  return Object.entries(properties).map(([name, property]) => fieldOf(name, property));
}

function fieldOf(name: string, schema: Json): Field {
  const stated = member(schema, 'type');
  const words = Array.isArray(stated) ? stated : [stated];
  const choices = member(schema, 'enum');
  const word = words.find((one) => typeof one === 'string' && one in types) as string | undefined;
  const field: Field = {
    name,
    type: Array.isArray(choices) ? 'choice' : word === undefined || words.includes('array') ? 'json' : types[word]!,
    nullable: words.includes('null') || (Array.isArray(choices) && choices.includes(null)),
    required: !isObject(schema) || !('default' in schema),
  };
  if (isObject(schema) && 'default' in schema) field.default = schema['default'];
  if (Array.isArray(choices)) field.choices = choices.filter((one): one is string => typeof one === 'string');
  for (const bound of ['minimum', 'maximum'] as const) {
    const value = member(schema, bound);
    if (typeof value === 'number') field[bound] = value;
  }
  const description = member(schema, 'description');
  if (typeof description === 'string') field.description = description;
  return field;
}

/** The form of a workflow that is used as a stage: its own parameters. */
export const fieldsOfWorkflow = (parameters: Record<string, ParameterDefinition> | undefined): Field[] =>
  Object.entries(parameters ?? {}).map(([name, definition]) => ({
    name,
    type: parameterFields[definition.type],
    nullable: false,
    required: definition.default === undefined,
    default: definition.default,
    description: definition.description,
  }));

/** The box that a parameter of a workflow wants. */
export const parameterFields: Record<ParameterDefinition['type'], FieldType> = {
  text: 'text',
  path: 'text',
  number: 'number',
  integer: 'integer',
  boolean: 'boolean',
  list: 'json',
};

const isObject = (json: Json | undefined): json is { [name: string]: Json } =>
  typeof json === 'object' && json !== null && !Array.isArray(json);
const member = (json: Json, name: string): Json | undefined => (isObject(json) ? json[name] : undefined);

/** Whether a value is filled in when the run starts, so that nothing can be said about it yet. */
export const isTemplate = (value: unknown): boolean => typeof value === 'string' && value.includes('${');

/** What is wrong with a value; undefined for nothing. */
export function fieldFault(field: Field, value: Json | undefined): string | undefined {
  if (value === undefined) return field.required ? `${describe(field)} is expected` : undefined;
  if (isTemplate(value)) return undefined;
  if (value === null) return field.nullable ? undefined : `${describe(field)} is expected`;
  switch (field.type) {
    case 'integer':
    case 'number':
      if (typeof value !== 'number' || (field.type === 'integer' && !Number.isInteger(value)))
        return `${show(value)}: ${describe(field)} is expected`;
      return inRange(field, value) ? undefined : `${value}: ${describe(field)} is expected`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `${show(value)}: yes or no is expected`;
    case 'choice':
      return typeof value === 'string' && field.choices!.includes(value)
        ? undefined
        : `${show(value)}: expected one of ${field.choices!.join(', ')}`;
    case 'text':
      return typeof value === 'string' ? undefined : `${show(value)}: a text is expected`;
    case 'json':
      return undefined;
  }
}

const inRange = (field: Field, value: number): boolean =>
  value >= (field.minimum ?? -Infinity) && value <= (field.maximum ?? Infinity);

/** `an integer from 1 to 1000`. */
export function describe(field: Field): string {
  const noun = {
    integer: 'an integer',
    number: 'a number',
    text: 'a text',
    boolean: 'yes or no',
    choice: 'a choice',
    json: 'a value',
  };
  const { minimum, maximum } = field;
  const range =
    minimum !== undefined && maximum !== undefined
      ? ` from ${minimum} to ${maximum}`
      : minimum !== undefined
        ? ` of ${minimum} or more`
        : maximum !== undefined
          ? ` of ${maximum} or less`
          : '';
  return noun[field.type] + range;
}

/** The text of a form's box for a value. */
export const show = (value: Json | undefined): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/** The value of what was typed. An empty box means the default; what cannot be read stays as text, and is refused. */
export function readField(field: Pick<Field, 'type'>, text: string): Json | undefined {
  if (text === '') return undefined;
  if (isTemplate(text)) return text;
  switch (field.type) {
    case 'integer':
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'json':
      try {
        return JSON.parse(text) as Json;
      } catch {
        return text;
      }
    default:
      return text;
  }
}
