import type { z } from 'zod';
import { CloudEasyMLError } from '../errors.js';
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
      const userId = query.userId ?? principal.userId;
      if (userId !== principal.userId && !principal.isAdmin) {
        const message = 'userId: only an admin may see the usage of another user.';
        throw new CloudEasyMLError('forbidden', message, { path: 'userId' });
      }
      const body: z.infer<typeof contract.usageReport> = usage.query(
        userId,
        query.startDate,
        query.endDate,
      );
      return { body };
    },
  );
}
