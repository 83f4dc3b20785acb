import type { ErrorCode } from '../errors.js';
import { InputError } from '../plugin/baseModel.js';
import { withoutServerPaths } from '../serverPaths.js';

/** The cause of a SyntaxError that the request's body caused. */
export const malformed = Symbol('malformed');

/** An error as the client gets it. */
export interface Failure {
  code: ErrorCode;
  detail: string;
  /** '' where it has no place in the request. */
  path: string;
}

/** The error code and text for what a plugin, or reading a request's body, threw. */
export function describeFailure(error: unknown): Failure {
  // By name: a plugin may bring a copy of the class of its own.
  const isInput = error instanceof InputError || (isNamed(error) && error.name === 'InputError');
  const code = isInput
    ? 'invalid_input'
    : error instanceof SyntaxError && error.cause === malformed
      ? 'malformed_json'
      : 'plugin_failed';
  const path = isInput && isNamed(error) && typeof error.path === 'string' ? error.path : '';
  const detail = messageOf(error);
  return { code, detail: code === 'plugin_failed' ? withoutServerPaths(detail) : detail, path };
}

function isNamed(error: unknown): error is { name: string; path?: unknown } {
  return typeof error === 'object' && error !== null && 'name' in error;
}

/** The text of a thrown value, which may be anything. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'The plugin threw an object that has no message.';
  }
}
