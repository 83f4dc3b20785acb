import { z } from 'zod';
import { CloudEasyMLError } from '../errors.js';
import { nearestName } from '../validation/nearestName.js';
import { printPath, type ValuePath, valueAt } from '../validation/valuePath.js';

/** Where a validated value stands, for the messages about it. */
export interface Place {
  /** The path of the value itself, such as `['config', 'serving']`. */
  path: readonly string[];
  /** The file that holds it. */
  file?: string;
  /** The line of a path within the file, counted from 1. */
  lineOf?: (path: ValuePath) => number | undefined;
}

/**
 * A mapping with these keys and no others; an unknown key is answered with the known one that it most
 * likely meant. The messages of the schemas below it say what was expected: "a list of strings".
 */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape, noun = 'setting') {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'a mapping';
      const near = nearestName(String(issue.keys?.[0]), known);
      const hint = near ? `did you mean ${near}?` : `those there are: ${known.join(', ')}.`;
      return `there is no such ${noun}; ${hint}`;
    },
  });
}

/**
 * Checks a value against a schema.
 *
 * @throws CloudEasyMLError `invalid_input`, its `path` the first fault's, its message a sentence for
 *   each fault: where it is, what was expected and what came
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: Place,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => describe(innermost(issue), value, place));
  throw new CloudEasyMLError('invalid_input', faults.map((fault) => fault.message).join(' '), {
    path: faults[0]!.path,
  });
}

/** Of a union that nothing fits, the fault inside the alternative that fits so far; else the union's own. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inside = issue.errors.flat().find(({ path }) => path.length > 0);
  return inside ? innermost({ ...inside, path: [...issue.path, ...inside.path] }) : issue;
}

function describe(issue: z.core.$ZodIssue, value: unknown, place: Place) {
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0]! : undefined;
  const inner = unknownKey === undefined ? issue.path : [...issue.path, unknownKey];
  const full = [...place.path, ...inner];
  const path = printPath(full);
  const line = place.lineOf?.(full);
  const where = place.file ? `${place.file}${line ? `, line ${line}` : ''}: ` : '';
  const fault =
    unknownKey === undefined
      ? `expected ${issue.message} but received ${printValue(valueAt(value, issue.path))}.`
      : issue.message;
  return { path, message: `${where}${path ? `${path}: ` : ''}${fault}` };
}

/** A value as a message shows it: short, and with its type where its text alone would not tell. */
export function printValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
