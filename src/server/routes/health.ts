import type { z } from 'zod';
import type { NotServing } from '../../deployment/deploymentView.js';
import { CloudEasyMLError } from '../../errors.js';
import { type Route, route } from '../http/route.js';
import { draining } from '../predict/refusals.js';
import * as contract from './contract.js';
import type { RouteServices } from './services.js';

/** `/health`, and `/health/live` and `/health/ready` for probes. */
export function healthRoutes({ deployments, readiness }: RouteServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/health',
      summary: 'The state of the server',
      access: 'public',
      answer: { schema: contract.health },
      handle: () => {
        const active = deployments.list(undefined).filter(({ status }) => status === 'active');
        const body: z.infer<typeof contract.health> = {
          status: 'healthy',
          timestamp: new Date().toISOString(),
          modelsLoaded: active.length,
        };
        return { body };
      },
    }),
    route({
      method: 'GET',
      path: '/health/live',
      summary: 'Whether the process answers',
      access: 'public',
      answer: { schema: contract.probe },
      handle: () => {
        const body: z.infer<typeof contract.probe> = { status: 'alive' };
        return { body };
      },
    }),
    route({
      method: 'GET',
      path: '/health/ready',
      summary: 'Whether predictions can be sent',
      access: 'public',
      answer: { schema: contract.probe },
      errors: ['starting', 'draining', 'deployment_unavailable'],
      handle: () => {
        if (readiness() === 'starting') {
          throw new CloudEasyMLError('starting', 'The stored deployments are still being loaded.');
        }
        if (readiness() === 'draining') throw draining();
        const missing = deployments.notServing();
        if (missing.length > 0) throw notServing(missing);
        const body: z.infer<typeof contract.probe> = { status: 'ready' };
        return { body };
      },
    }),
  ];
}

function notServing(missing: readonly NotServing[]): CloudEasyMLError {
  const each = missing.map(
    ({ deploymentId, modelName, status, reason }) =>
      `${deploymentId} (${modelName}) is ${status}: ${reason}`,
  );
  return new CloudEasyMLError('deployment_unavailable', each.join(' '));
}
