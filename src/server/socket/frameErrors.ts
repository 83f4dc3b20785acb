import { FrameFault } from '../../engine/frames.js';
import { CloudEasyMLError } from '../../errors.js';
import { badPriority, badTimeout } from '../predict/refusals.js';

/** The error for a faulty frame. */
export function frameError(fault: number): CloudEasyMLError {
  switch (fault) {
    case FrameFault.notAnObject:
      return new CloudEasyMLError(
        'bad_request',
        'Expected a frame to be an object like {"id": …, "deploymentId": …, "data": …}.',
      );
    case FrameFault.headerLength:
      return new CloudEasyMLError(
        'bad_request',
        'Expected a binary frame to begin with the length of its JSON header, a 32-bit little-endian integer, but the frame is shorter than that.',
      );
    case FrameFault.id:
      return new CloudEasyMLError(
        'bad_request',
        'id: expected a string or a number of at most 128 bytes.',
        { path: 'id' },
      );
    case FrameFault.deploymentId:
      return new CloudEasyMLError(
        'invalid_input',
        'deploymentId: expected the id of a deployment, a string, but received something else.',
        { path: 'deploymentId' },
      );
    case FrameFault.priority:
      return badPriority('priority');
    case FrameFault.timeout:
      return badTimeout('timeoutMs');
    case FrameFault.switch:
      return new CloudEasyMLError(
        'bad_request',
        'Expected true or false for "stream", "end", "cancel" and "binary".',
      );
    case FrameFault.members:
      return new CloudEasyMLError('bad_request', 'Expected a frame to have at most 1024 members.');
    case FrameFault.twice:
      return new CloudEasyMLError('bad_request', 'Expected each member of a frame once.');
    default:
      return new CloudEasyMLError('malformed_json', 'The frame is not valid JSON.');
  }
}

/** The error for a well-formed frame that asks for nothing. */
export function emptyFrame(): CloudEasyMLError {
  return new CloudEasyMLError(
    'bad_request',
    'Expected a frame to have a "deploymentId" to begin with, or "data", "end" or "cancel" to go on with.',
  );
}

/** The error for an id that is in use in another way. */
export function misused(detail: string): CloudEasyMLError {
  return new CloudEasyMLError('bad_request', detail);
}

/** The error for a frame whose id has no open stream. */
export function notFound(): CloudEasyMLError {
  return new CloudEasyMLError(
    'stream_not_found',
    'No stream with this id is open on the connection: it has ended, or none was begun; a frame that begins one names its deploymentId.',
  );
}
