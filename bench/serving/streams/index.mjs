import { mkdirSync } from 'node:fs';
import { measureIdleConnections } from './idleConnections.mjs';
import { measureStreams } from './streamLoops.mjs';

/**
 * Everything that is measured of streams and of connections that stay.
 *
 * @param {import('../../plans.mjs').StreamPlan} plan
 * @param {import('./streamLoops.mjs').StreamOptions} options `folder` is made where it is missing
 */
export async function benchStreams(plan, options) {
  mkdirSync(options.folder, { recursive: true });
  return {
    streams: await measureStreams(plan, options),
    idleConnections: await measureIdleConnections(plan.idle, options),
  };
}
