import { CloudEasyMLError } from '../errors.js';
import type { Place } from '../validation/validate.js';

/** Settings that are only for plugins with no code, and why those with code don't have them. */
const reasons = {
  model: 'loads its own model',
  batchAxis: 'gets its requests as they are',
  labels: 'labels its answers itself',
};

/**
 * Refuses the settings of a `serving:` block that a plugin with code does not read.
 *
 * @param who begins the message's sentence
 * @throws CloudEasyMLError `invalid_input` with the setting's path
 */
export function refuseUnread(
  block: { [Key in keyof typeof reasons]?: unknown },
  who: string,
  place: Place,
): void {
  for (const key of ['model', 'batchAxis', 'labels'] as const) {
    if (block[key] === undefined) continue;
    const at = [...(place.path ?? []), key].join('.');
    const where = place.file ? `${place.file}: ` : '';
    throw new CloudEasyMLError('invalid_input', `${where}${at}: ${who} ${reasons[key]}.`, {
      path: at,
    });
  }
}
