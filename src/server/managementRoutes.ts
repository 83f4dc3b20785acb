import { registerDeploymentRoutes } from './deploymentRoutes.js';
import { registerDocsRoutes } from './docsRoutes.js';
import { registerHealthRoutes } from './healthRoutes.js';
import { registerKeyRoutes } from './keyRoutes.js';
import type { ManagementServices } from './managementServices.js';
import { registerModelRoutes } from './modelRoutes.js';
import type { Router } from './router.js';
import { registerUsageRoutes } from './usageRoutes.js';

/** Every route but those of predictions. */
export function registerManagementRoutes(router: Router, services: ManagementServices): void {
  registerHealthRoutes(router, services);
  registerModelRoutes(router, services);
  registerDeploymentRoutes(router, services);
  registerKeyRoutes(router, services);
  registerUsageRoutes(router, services);
  registerDocsRoutes(router);
}
