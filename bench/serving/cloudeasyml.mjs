import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../processes.mjs';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * @typedef {object} Served
 * @property {string} plugin its name
 * @property {string} [plugins] the folder that holds it; without it the plugin is only the model file
 * @property {string} [modelFile]
 * @property {object} [config] of the deployment
 */

/** High enough never to refuse, low enough that every request is counted against it. */
const requestsPerMinute = 1_000_000_000;

/**
 * Starts this package's server on one plugin, its data in a folder of its own, with an ordinary user's key
 * that has a rate limit. `CLOUDEASYML_*` variables of the environment hold but for those named here.
 *
 * @param {{ workload: Served, folder: string, cpus: string | undefined, env?: Record<string, string> }} options
 *   `folder` is made where it is missing
 */
export async function startCloudeasyml({ workload, folder, cpus, env = {} }) {
  mkdirSync(folder, { recursive: true });
  const plugins = workload.plugins ?? path.join(folder, 'plugins');
  if (workload.modelFile) writePlugin(path.join(plugins, workload.plugin), workload.modelFile);
  const adminKey = randomBytes(24).toString('hex');
  const server = await startServer(process.execPath, [command, 'serve'], {
    cwd: folder,
    cpus,
    env: {
      ...env,
      CLOUDEASYML_HOST: '127.0.0.1',
      CLOUDEASYML_PORT: '0',
      CLOUDEASYML_PLUGINS: plugins,
      CLOUDEASYML_DATA: path.join(folder, 'data'),
      CLOUDEASYML_ADMIN_KEY: adminKey,
    },
  });
  const keyBody = { name: 'bench', userId: 'bench', rateLimit: requestsPerMinute };
  const { apiKey } = await ask(server.url, 'POST', '/api-keys', adminKey, keyBody);
  const { deployment } = await ask(server.url, 'POST', '/deployments', apiKey, {
    modelName: workload.plugin,
    ...(workload.config && { config: workload.config }),
  });
  if (deployment.status !== 'active') throw new Error(`The deployment failed: ${deployment.error}`);
  return {
    ...server,
    apiKey: /** @type {string} */ (apiKey),
    deploymentId: /** @type {string} */ (deployment.deploymentId),
    /** @returns {Promise<number>} requests that the server has put on its user's account */
    accounted: async () =>
      /** @type {number} */ ((await ask(server.url, 'GET', '/usage', apiKey)).totalRequests),
  };
}

/** A plugin without code. @type {(folder: string, modelFile: string) => void} */
function writePlugin(folder, modelFile) {
  mkdirSync(folder, { recursive: true });
  copyFileSync(modelFile, path.join(folder, 'model.onnx'));
  writeFileSync(path.join(folder, 'config.yaml'), 'metadata:\n  estimatedCostPerRequest: 0.0001\n');
}

/**
 * @param {string} url
 * @param {string} method
 * @param {string} route
 * @param {string} key
 * @param {object} [body]
 * @returns {Promise<any>}
 */
async function ask(url, method, route, key, body) {
  const response = await fetch(`${url}${route}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${route} was answered ${JSON.stringify(answer)}`);
  return answer;
}
