import type { DeploymentService, ModelCatalog } from '../deployment/deploymentService.js';
import type { UsageRecorder } from '../usage/usageRecorder.js';
import type { HttpServices } from './router.js';

/** What the management routes use. */
export interface ManagementServices extends HttpServices {
  deployments: DeploymentService;
  catalog: ModelCatalog;
  usage: UsageRecorder;
}
