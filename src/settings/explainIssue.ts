import type { z } from 'zod';
import { printPath, valueAt } from '../validation/valuePath.js';

/** Where in a checked value a fault is, and a sentence on what was expected and what came. */
export interface Fault {
  /** `config.serving.maxBatchSize`, `data[2]`; empty for the value as a whole. */
  path: string;
  message: string;
}

/** A value as a sentence can hold it: short, and with its type where that is the point. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  return `the ${typeof value} ${String(value)}`;
}

const units: Record<string, string> = { string: ' characters', array: ' items' };
const names: Record<string, string> = {
  int: 'an integer',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return names[issue.expected] ?? `a value of type ${issue.expected}`;
    case 'too_small':
    case 'too_big': {
      const small = issue.code === 'too_small';
      const bound = small ? issue.minimum : issue.maximum;
      const relation = small
        ? issue.inclusive
          ? 'at least'
          : 'more than'
        : issue.inclusive
          ? 'at most'
          : 'less than';
      return `${relation} ${bound}${units[issue.origin] ?? ''}`;
    }
    case 'invalid_value':
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `text that matches ${issue.pattern}`
        : `a valid ${issue.format}`;
    case 'invalid_union':
      return issue.errors.map((branch) => branch.map(expectation).join(' and ')).join(', or ');
    default:
      return issue.message;
  }
}

/**
 * Puts a zod issue into a sentence. Zod's own wording leaves out what came.
 *
 * @param root the value that was checked
 */
export function explainIssue(issue: z.core.$ZodIssue, root: unknown): Fault {
  if (issue.code === 'unrecognized_keys') {
    const path = printPath([...issue.path, issue.keys[0] ?? '']);
    return { path, message: 'is not known here' };
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues.map((fault) => fault.message).join(' and ');
    return { path: printPath(issue.path), message };
  }
  if (issue.code === 'custom') return { path: printPath(issue.path), message: issue.message };
  const received = describeValue(valueAt(root, issue.path));
  return {
    path: printPath(issue.path),
    message: `expected ${expectation(issue)} but received ${received}`,
  };
}
