import { RateLimitedError } from '../../auth/principal.js';
import { CloudEasyMLError, type ErrorCode, errorTable } from '../../errors.js';
import { ShedError } from '../predict/refusals.js';

/** The body of every answer that is not a success (RFC 9457). */
export interface Problem {
  /** Where the code is explained, relative to the server: `/docs#overloaded`. */
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  requestId: string;
  /** Where in the request the fault is. */
  path?: string;
}

/** A problem with the headers that belong to it. */
export interface ProblemAnswer {
  problem: Problem;
  headers: Record<string, string>;
}

/** Whether an error was thrown on purpose, for its message to be shown. */
export function isExplained(error: unknown): error is CloudEasyMLError {
  return error instanceof CloudEasyMLError && error.code !== 'internal';
}

/** The document of an error with this code. */
export function makeProblem(
  code: ErrorCode,
  detail: string,
  requestId: string,
  path?: string,
): Problem {
  const { status, title } = errorTable[code];
  return {
    type: `/docs#${code}`,
    title,
    status,
    detail,
    code,
    requestId,
    ...(path !== undefined && { path }),
  };
}

/**
 * Turns whatever was thrown into a problem. Of an error that was not foreseen it tells nothing but
 * the request id, under which the log has the rest.
 */
export function problemFor(error: unknown, requestId: string): ProblemAnswer {
  if (!isExplained(error)) {
    const detail = 'The server failed on this request; its log tells why, under the request id.';
    return { problem: makeProblem('internal', detail, requestId), headers: {} };
  }
  const problem = makeProblem(error.code, error.message, requestId, error.path || undefined);
  const headers: Record<string, string> = {};
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer realm="cloudeasyml"';
  if (error instanceof RateLimitedError || error instanceof ShedError)
    headers['retry-after'] = String(error.retryAfter);
  else if (problem.status === 503) headers['retry-after'] = '1';
  return { problem, headers };
}
