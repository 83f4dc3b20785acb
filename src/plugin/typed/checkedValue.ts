import type { z } from 'zod';
import { check } from '../../validation/faults.js';
import { InputError } from '../baseModel.js';

/**
 * Checks a value that a client or a deployment sent.
 *
 * @param root what the value is called: `data`, `options`, `config`
 * @throws InputError with the path of the first fault
 */
export function checkedValue<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  root: string,
): z.output<Schema> {
  const checked = check(schema, value);
  if (!checked.faults) return checked.value;
  const { path, message } = checked.faults[0]!;
  const inside = path === '' || path.startsWith('[') ? path : `.${path}`;
  throw new InputError(`${root}${inside}`, message);
}
