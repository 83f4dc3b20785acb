import type { BaseModel, PluginLogger } from '../plugin/baseModel.js';
import { createModel, loadModelClass } from '../plugin/loadPlugin.js';
import type { HostedPlugin } from './messages.js';

/**
 * Loads a plugin's class and its model into this thread, and asks the model whether it is well.
 *
 * @throws whatever the plugin throws
 */
export async function loadInstance(
  plugin: HostedPlugin,
  logger?: PluginLogger,
): Promise<BaseModel> {
  const model = createModel(await loadModelClass(plugin), plugin, plugin);
  if (logger) model.logger = logger;
  await model.load();
  model.isLoaded = true;
  const health = model.healthCheck();
  if (!health.healthy) {
    throw new Error(`It loaded, but its healthCheck() says: ${health.detail ?? 'not healthy'}`);
  }
  return model;
}
