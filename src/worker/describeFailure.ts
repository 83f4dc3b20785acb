import type { ErrorCode } from '../errors.js';
import { InputError } from '../plugin/baseModel.js';

/** The cause of a SyntaxError that the client is to blame for. */
export const malformed = Symbol('malformed');

/** What a client is told of an error. */
export interface Failure {
  code: ErrorCode;
  detail: string;
  /** '' where it has no place in the request. */
  path: string;
}

/** Tells whose fault it is what a plugin threw, or what reading a request's body did. */
export function describeFailure(error: unknown): Failure {
  // By name: a plugin may bring a copy of the class of its own.
  const isInput = error instanceof InputError || (isNamed(error) && error.name === 'InputError');
  const code = isInput
    ? 'invalid_input'
    : error instanceof SyntaxError && error.cause === malformed
      ? 'malformed_json'
      : 'plugin_failed';
  const path = isInput && isNamed(error) && typeof error.path === 'string' ? error.path : '';
  return { code, detail: messageOf(error), path };
}

function isNamed(error: unknown): error is { name: string; path?: unknown } {
  return typeof error === 'object' && error !== null && 'name' in error;
}

/** A plugin may throw anything, also what has no text. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'The plugin threw an object that has no message.';
  }
}
