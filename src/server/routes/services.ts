import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import type { PluginCatalog } from '../../plugin/catalog.js';
import type { UsageRecorder } from '../../usage/usageRecorder.js';
import type { HttpServices } from '../http/pipeline.js';

/** What the handlers of routes use. */
export interface RouteServices extends HttpServices {
  deployments: DeploymentManager;
  catalog: PluginCatalog;
  usage: UsageRecorder;
}
