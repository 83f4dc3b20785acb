import type { z } from 'zod';
import * as contract from './contract.js';
import type { ManagementServices } from './managementServices.js';
import type { Router } from './router.js';

/** `GET /usage`. */
export function registerUsageRoutes(router: Router, { usage }: ManagementServices): void {
  router.handle(
    'GET',
    '/usage',
    { access: 'usage', query: contract.usageQuery },
    ({ principal, query }) => {
      const body: z.infer<typeof contract.usageReport> = usage.query(
        principal.userId,
        query.startDate,
        query.endDate,
      );
      return { body };
    },
  );
}
