import { longestTimeoutMs, lowestPriority } from '../routes/contract.js';
import { badPriority, badTimeout } from './refusals.js';

/**
 * The level that an `x-priority` header names, 0 where there is none.
 *
 * @throws CloudEasyMLError invalid_input
 */
export function priorityOf(header: string): number {
  if (header === '') return 0;
  const level = wholeNumber(header);
  if (level < 1 || level > lowestPriority) throw badPriority('x-priority');
  return level;
}

/**
 * The milliseconds that an `x-timeout-ms` header names, 0 where there is none.
 *
 * @throws CloudEasyMLError invalid_input
 */
export function timeoutOf(header: string): number {
  if (header === '') return 0;
  const ms = wholeNumber(header);
  if (ms < 1 || ms > longestTimeoutMs) throw badTimeout('x-timeout-ms');
  return ms;
}

function wholeNumber(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : 0;
}
