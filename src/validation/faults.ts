import type { z } from 'zod';
import { nearestName } from './nearestName.js';
import { printPath, type ValuePath, valueAt } from './valuePath.js';

/** What is wrong with a checked value. */
export interface Fault {
  steps: ValuePath;
  /** The same as text: `config.serving.maxBatchSize`, `data[2]`; empty for the value as a whole. */
  path: string;
  /** What was expected, without a word of what came: for values that are secret. */
  expectation: string;
  /** What was expected and what came. */
  message: string;
}

/** A value that was checked. */
export type Checked<Value> = { value: Value; faults?: undefined } | { faults: Fault[] };

/**
 * Checks a value against a schema. The messages of the schema say what was expected, "a list of strings";
 * where it has none, they are made from its rules.
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): Checked<z.output<Schema>> {
  const result = schema.safeParse(value, { error: expectationOf });
  if (result.success) return { value: result.data };
  return { faults: result.error.issues.map((issue) => faultOf(innermost(issue), value)) };
}

/** The sentence for a name that is not among those known. */
export function unknownName(name: string, known: readonly string[], noun: string): string {
  const near = nearestName(name, known);
  return `there is no such ${noun}; ${near ? `did you mean ${near}?` : `those there are: ${known.join(', ')}.`}`;
}

/** A value as a message shows it: short, and with its type where its text alone would not tell. */
export function printValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function faultOf(issue: z.core.$ZodIssue, root: unknown): Fault {
  if (issue.code === 'unrecognized_keys') {
    const steps = [...issue.path, issue.keys[0]!];
    const { message } = issue;
    return { steps, path: printPath(steps), expectation: message, message };
  }
  // Of a key that does not fit, the path leads to its value.
  const isKey = issue.code === 'invalid_key';
  const wanted = isKey ? issue.issues.map(({ message }) => message).join(' and ') : issue.message;
  const received = isKey ? issue.path.at(-1) : valueAt(root, issue.path);
  const expectation = `expected ${wanted}`;
  return {
    steps: issue.path,
    path: printPath(issue.path),
    expectation,
    message: `${expectation} but received ${printValue(received)}`,
  };
}

/** Of a union that nothing fits, the fault inside the alternative that fits so far; else the union's own. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inside = issue.errors.flat().find(({ path }) => path.length > 0);
  return inside ? innermost({ ...inside, path: [...issue.path, ...inside.path] }) : issue;
}

const units: Record<string, string> = { string: ' characters', array: ' items' };
const typeNames: Record<string, string> = {
  int: 'an integer',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** What a schema without a message of its own expects. */
function expectationOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? `a value of type ${issue.expected}`;
    case 'too_small':
    case 'too_big':
      return boundOf(issue);
    case 'invalid_value': {
      const values = issue.values.map((value) => JSON.stringify(value));
      return values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
    }
    case 'invalid_format':
      return issue.format === 'regex'
        ? `text that matches ${issue.pattern}`
        : `a valid ${issue.format}`;
    case 'invalid_union':
      return issue.errors
        .map((branch) => branch.map(({ message }) => message).join(' and '))
        .join(', or ');
    case 'unrecognized_keys': {
      const shape = (issue.inst as z.ZodObject | undefined)?.shape ?? {};
      return unknownName(issue.keys[0] ?? '', Object.keys(shape), 'field');
    }
    default:
      return undefined;
  }
}

function boundOf(
  issue: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig>,
): string {
  const isSmall = issue.code === 'too_small';
  const relations = isSmall ? ['at least', 'more than'] : ['at most', 'less than'];
  const relation = relations[issue.inclusive ? 0 : 1];
  return `${relation} ${isSmall ? issue.minimum : issue.maximum}${units[issue.origin] ?? ''}`;
}
