import type { z } from 'zod';
import { CloudEasyMLError } from '../errors.js';
import type * as contract from './contract.js';
import type { ManagementServices } from './managementServices.js';
import { draining } from './refusals.js';
import type { Router } from './router.js';

/** `/health`, and `/health/live` and `/health/ready` for probes. */
export function registerHealthRoutes(router: Router, services: ManagementServices): void {
  router.handlePublic('GET', '/health', () => {
    const active = services.deployments.list(undefined).filter(({ status }) => status === 'active');
    const body: z.infer<typeof contract.health> = {
      status: 'healthy',
      timestamp: new Date().toISOString(),
      modelsLoaded: active.length,
    };
    return { body };
  });

  router.handlePublic('GET', '/health/live', () => {
    const body: z.infer<typeof contract.probe> = { status: 'alive' };
    return { body };
  });

  router.handlePublic('GET', '/health/ready', () => {
    const readiness = services.readiness();
    if (readiness === 'starting') {
      throw new CloudEasyMLError('starting', 'The stored deployments are still being loaded.');
    }
    if (readiness === 'draining') {
      throw draining();
    }
    const body: z.infer<typeof contract.probe> = { status: 'ready' };
    return { body };
  });
}
