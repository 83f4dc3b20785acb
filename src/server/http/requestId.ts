import { randomBytes } from 'node:crypto';

const accepted = /^[A-Za-z0-9._:-]{1,128}$/;
const prefix = randomBytes(6).toString('hex');
let count = 0;

/**
 * The id under which a request is logged and answered: the client's own `x-request-id` where it is
 * plain enough for a log, else a new one.
 */
export function requestIdFor(header: string): string {
  return header !== '' && accepted.test(header) ? header : `${prefix}-${(++count).toString(36)}`;
}
