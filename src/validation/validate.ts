import { z } from 'zod';
import { CloudEasyMLError } from '../errors.js';
import { check, type Fault, unknownName } from './faults.js';
import { printPath, type ValuePath } from './valuePath.js';

/** Where a validated value stands, for the messages about it. */
export interface Place {
  /** The path of the value itself, such as `['config', 'serving']`. */
  path?: readonly string[];
  /** What to call a value without a path: "The body". */
  whole?: string;
  /** The file that holds it. */
  file?: string;
  /** The line of a path within the file, counted from 1. */
  lineOf?: (path: ValuePath) => number | undefined;
}

/**
 * A mapping with these keys and no others; an unknown key is answered with the known one that it most
 * likely meant.
 */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape, noun = 'setting') {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? unknownName(String(issue.keys?.[0]), known, noun)
        : 'a mapping',
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
  const checked = check(schema, value);
  if (!checked.faults) return checked.value;
  const faults = checked.faults.map((fault) => locate(fault, place));
  throw new CloudEasyMLError('invalid_input', faults.map(({ sentence }) => sentence).join(' '), {
    path: faults[0]!.path,
  });
}

function locate({ steps, message }: Fault, { path: base = [], whole, file, lineOf }: Place) {
  const full = [...base, ...steps];
  const path = printPath(full);
  const line = lineOf?.(full);
  const where = [file && `${file}${line ? `, line ${line}` : ''}`, path || whole, message];
  const sentence = where.filter(Boolean).join(': ');
  return { path, sentence: /[.?]$/.test(sentence) ? sentence : `${sentence}.` };
}
