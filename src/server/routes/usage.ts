import type { z } from 'zod';
import { CloudEasyMLError } from '../../errors.js';
import { type Route, route } from '../http/route.js';
import * as contract from './contract.js';
import type { RouteServices } from './services.js';

/** `/usage`: what was used, and what it cost. */
export function usageRoutes({ usage }: RouteServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/usage',
      summary: 'The caller’s usage by model',
      access: 'usage',
      query: contract.usageQuery,
      answer: { schema: contract.usageReport },
      errors: ['invalid_input', 'storage_failed'],
      handle: ({ principal, query }) => {
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
    }),
  ];
}
