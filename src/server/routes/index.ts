import type { Route } from '../http/route.js';
import { deploymentRoutes } from './deployments.js';
import { healthRoutes } from './health.js';
import { keyRoutes } from './keys.js';
import { modelRoutes } from './models.js';
import type { RouteServices } from './services.js';
import { usageRoutes } from './usage.js';

/** Every route with a handler, in the order of the documentation. */
export function managementRoutes(services: RouteServices): Route[] {
  return [
    ...healthRoutes(services),
    ...modelRoutes(services),
    ...deploymentRoutes(services),
    ...keyRoutes(services),
    ...usageRoutes(services),
  ];
}
