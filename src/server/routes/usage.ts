import type { z } from 'zod';
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
      errors: ['invalid_input'],
      handle: ({ principal, query }) => {
        const body: z.infer<typeof contract.usageReport> = usage.query(
          principal.userId,
          query.startDate,
          query.endDate,
        );
        return { body };
      },
    }),
  ];
}
