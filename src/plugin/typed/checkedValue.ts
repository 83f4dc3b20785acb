import type { z } from 'zod';
import { explainIssue } from '../../settings/explainIssue.js';
import { InputError } from '../baseModel.js';

/**
 * Checks a value that a client sent.
 *
 * @param root what the value is called: `data`, `options`, `config`
 * @throws InputError with the path of the first fault
 */
export function checkedValue<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  root: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = explainIssue(result.error.issues[0]!, value);
  const inside = path === '' || path.startsWith('[') ? path : `.${path}`;
  throw new InputError(`${root}${inside}`, message);
}
