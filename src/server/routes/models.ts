import type { z } from 'zod';
import { type Route, route } from '../http/route.js';
import * as contract from './contract.js';
import type { RouteServices } from './services.js';

/** `/models`: what can be deployed. */
export function modelRoutes({ catalog }: RouteServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/models',
      summary: 'The models that can be deployed',
      access: 'anyKey',
      answer: { schema: contract.modelList },
      handle: () => {
        const body: z.infer<typeof contract.modelList> = { models: catalog.list() };
        return { body };
      },
    }),
  ];
}
