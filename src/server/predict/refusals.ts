import { Admission } from '../../engine/frontEnd.js';
import { CloudEasyMLError, type ErrorCode } from '../../errors.js';

/** A failure as the engine reports it. */
export interface EngineFailure {
  code: ErrorCode;
  detail: string;
  path?: string;
}

/** The error of a request that was refused because it would have missed its deadline. */
export class ShedError extends CloudEasyMLError {
  /** Seconds after which it makes sense to try again. */
  readonly retryAfter: number;

  constructor(waitMs: number) {
    super(
      'overloaded',
      `The request would have been answered after about ${Math.ceil(waitMs)} ms, which is past its deadline.`,
    );
    this.retryAfter = Math.max(1, Math.ceil(waitMs / 1000));
  }
}

/**
 * The error for a request that the engine refused.
 *
 * @param isStarting stored deployments are still being loaded, and the one in question may be among them
 * @param waitMs the expected wait for an answer, where the request was shed
 */
export function refusalError(refusal: number, isStarting = false, waitMs = 0): CloudEasyMLError {
  switch (refusal) {
    case Admission.noDeployment:
      if (isStarting) {
        return new CloudEasyMLError('starting', 'The stored deployments are still being loaded.');
      }
      return new CloudEasyMLError(
        'deployment_not_found',
        'There is no deployment with the id that the body names.',
        { path: 'deploymentId' },
      );
    case Admission.notAccepting:
      return new CloudEasyMLError(
        'deployment_unavailable',
        'The deployment is not serving; GET /deployments/{deploymentId} tells why.',
      );
    case Admission.queueFull:
      return new CloudEasyMLError(
        'overloaded',
        'As many requests wait for the deployment as its maxQueueSize allows.',
      );
    case Admission.shed:
      return new ShedError(waitMs);
    case Admission.priority:
      return badPriority('priority');
    case Admission.timeout:
      return badTimeout('timeoutMs');
    case Admission.streamsFull:
      return new CloudEasyMLError(
        'overloaded',
        'As many streams are open on the deployment as its maxStreams allows.',
      );
    case Admission.noStreams:
      return new CloudEasyMLError(
        'invalid_input',
        'stream: the model answers whole requests only, because its plugin has no stream(); leave "stream" out.',
        { path: 'stream' },
      );
    case Admission.tooManyBytes:
      return new CloudEasyMLError(
        'overloaded',
        'The server holds as many bytes of requests and unread answers as its maxHeldBytes allows.',
      );
    case Admission.tooManyUserBytes:
      return new CloudEasyMLError(
        'overloaded',
        'The server holds as many bytes of the user’s requests and unread answers as one user may have, a quarter of maxHeldBytes.',
      );
    case Admission.routeAbsent:
    case Admission.routeNotText:
      return new CloudEasyMLError(
        'invalid_input',
        `deploymentId: expected the id of a deployment, a string, but ${refusal === Admission.routeAbsent ? 'the body has none' : 'received something else'}.`,
        { path: 'deploymentId' },
      );
    case Admission.tooManyMembers:
      return new CloudEasyMLError(
        'invalid_input',
        'Expected the body to be an object of at most 1024 members.',
      );
    case Admission.notAnObject:
      return new CloudEasyMLError(
        'invalid_input',
        'Expected the body to be an object like {"deploymentId": …, "data": …}.',
      );
    default:
      return new CloudEasyMLError('malformed_json', 'The body is not valid JSON.');
  }
}

/** The error for a priority that is out of range. */
export function badPriority(path: string): CloudEasyMLError {
  const detail = 'expected a whole number from 1, the most urgent, to 9.';
  return new CloudEasyMLError('invalid_input', `${path}: ${detail}`, { path });
}

/** The error for a timeout that is out of range. */
export function badTimeout(path: string): CloudEasyMLError {
  const detail = 'expected a whole number of milliseconds, from 1.';
  return new CloudEasyMLError('invalid_input', `${path}: ${detail}`, { path });
}

/** The error for requests that come while the server shuts down. */
export function draining(): CloudEasyMLError {
  return new CloudEasyMLError('draining', 'The server is shutting down.');
}

/** The error for what a key began that was revoked or has expired. */
export function keyEnded(): CloudEasyMLError {
  return new CloudEasyMLError('key_invalid', 'The API key expired or was revoked.');
}

/** The failure that a completion's body holds. */
export function failureOf(body: Uint8Array | ArrayBuffer): CloudEasyMLError {
  const { code, detail, path } = JSON.parse(
    Buffer.from(body as Uint8Array).toString(),
  ) as EngineFailure;
  return new CloudEasyMLError(code, path ? `${path}: ${detail}` : detail, { path });
}
