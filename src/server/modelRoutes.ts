import type { z } from 'zod';
import type * as contract from './contract.js';
import type { ManagementServices } from './managementServices.js';
import type { Router } from './router.js';

/** `GET /models`. */
export function registerModelRoutes(router: Router, { catalog }: ManagementServices): void {
  router.handle('GET', '/models', { access: 'anyKey' }, () => {
    const body: z.infer<typeof contract.modelList> = { models: catalog.list() };
    return { body };
  });
}
