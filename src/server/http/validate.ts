import type { z } from 'zod';
import { CloudEasyMLError } from '../../errors.js';
import { explainIssue } from '../../settings/explainIssue.js';

/**
 * Checks a value against a schema.
 *
 * @param whole what to call the value as a whole in an error
 * @throws CloudEasyMLError `invalid_input` with the first fault's path, and all faults in its message
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown, whole: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => explainIssue(issue, value));
  const text = faults.map(({ path, message }) => `${path || whole}: ${message}`).join('; ');
  throw new CloudEasyMLError('invalid_input', `${text}.`, { path: faults[0]?.path });
}
