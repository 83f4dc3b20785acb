import uWS, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import { KeyRing } from '../auth/keyRing.js';
import { DeploymentManager } from '../deployment/deploymentManager.js';
import { limitMemory } from '../engine/memoryLimits.js';
import { configureRuntime, runtimeInfo } from '../engine/runtime.js';
import { CloudEasyMLError } from '../errors.js';
import { discoverPlugins } from '../plugin/discovery.js';
import type { Settings } from '../settings/settingsSchema.js';
import { openStore } from '../store/database.js';
import { DeploymentStore } from '../store/deploymentStore.js';
import { KeyStore } from '../store/keyStore.js';
import { UsageStore } from '../store/usageStore.js';
import type { Logger } from '../telemetry/logger.js';
import { RequestAccounts } from '../usage/requestAccounts.js';
import { UsageRecorder } from '../usage/usageRecorder.js';
import { WorkerPool } from '../worker/workerPool.js';
import { CorsPolicy } from './cors.js';
import { registerManagementRoutes } from './managementRoutes.js';
import type { ManagementServices } from './managementServices.js';
import { Predictor } from './predictor.js';
import { type Readiness, Router } from './router.js';
import { SocketServer } from './socket/socketServer.js';

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly url: string;
  /** The bootstrap key where this start made one: it can't be shown again. */
  readonly newAdminKey: string | undefined;
  /** Takes no more connections, answers what is in flight within the drain time, frees everything. */
  close(): Promise<void>;
}

/**
 * Starts a server: its plugins, workers, stored deployments and routes.
 *
 * @throws CloudEasyMLError invalid_settings, library_unavailable
 */
export async function startServer(settings: Settings, logger: Logger): Promise<RunningServer> {
  // What plugins save and load must be where the server was told to keep its data, in every thread.
  process.env.CLOUDEASYML_DATA = settings.data;
  configureRuntime(settings.onnxRuntime);
  limitMemory(settings);
  const { version, executionProviders } = runtimeInfo();
  logger.info({ version, executionProviders, workers: settings.workers }, 'ONNX Runtime is loaded');

  const store = openStore(settings.data);
  const keys = new KeyRing(new KeyStore(store));
  const newAdminKey = keys.bootstrap(settings.adminKey);
  const usage = new UsageRecorder(new UsageStore(store), logger);
  usage.start();
  const catalog = await discoverPlugins(settings.plugins);
  for (const { name, directory, reason } of catalog.broken) {
    logger.error({ plugin: name, directory, reason }, 'a plugin is broken and is not served');
  }

  const pool = new WorkerPool(settings.workers, logger);
  await pool.start();
  const deployments = new DeploymentManager({
    catalog,
    pool,
    store: new DeploymentStore(store),
    logger,
    userIndexOf: (userId) => keys.userIndexOf(userId),
  });

  let readiness: Readiness = 'starting';
  const services: ManagementServices = {
    keys,
    logger,
    cors: new CorsPolicy(settings.cors),
    limits: {
      bodyLimit: settings.bodyLimit,
      requestTimeoutMs: settings.requestTimeoutMs,
      idleTimeout: settings.idleTimeout,
    },
    serverTiming: settings.serverTiming,
    readiness: () => readiness,
    deployments,
    catalog,
    usage,
  };
  const app = uWS.App();
  const router = new Router(app, services);
  const accounts = new RequestAccounts(usage);
  const predictor = new Predictor(services, deployments, accounts);
  const sockets = new SocketServer(services, deployments, accounts, settings);
  // Before the routes that answer whatever else is asked of this path.
  sockets.register(app, '/predict');
  app.post('/predict', predictor.predict);
  app.post('/predict/:deploymentId', predictor.predictOne);
  router.claim('POST', '/predict');
  router.claim('POST', '/predict/:deploymentId');
  registerManagementRoutes(router, services);
  router.finish();

  const socket = await listen(app, settings);
  const port = uWS.us_socket_local_port(socket);
  await deployments.restore();
  readiness = 'ready';

  const close = async () => {
    if (readiness === 'draining') return;
    readiness = 'draining';
    uWS.us_listen_socket_close(socket);
    sockets.drain();
    const deadline = Date.now() + settings.drainTimeoutMs;
    const inFlight = () => predictor.inFlight + sockets.inFlight;
    while (inFlight() > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (inFlight() > 0) {
      logger.warn({ inFlight: inFlight() }, 'requests were cut off: draining took too long');
    }
    predictor.cutStreams();
    sockets.close();
    // A turn, so that the last answers are written before their sockets close.
    await new Promise((resolve) => setTimeout(resolve, 20));
    app.close();
    predictor.close();
    await pool.close();
    usage.stop();
    store.close();
    logger.info('the server has stopped');
  };
  return { port, url: urlOf(settings.host, port), newAdminKey, close };
}

// The types leave these two out.
const exclusivePort = 1;
interface ExclusiveApp {
  listen(
    host: string,
    port: number,
    options: number,
    listening: (socket: us_listen_socket | false) => void,
  ): void;
}

function listen(app: TemplatedApp, { host, port }: Settings): Promise<us_listen_socket> {
  return new Promise((resolve, reject) => {
    const listening = (socket: us_listen_socket | false) => {
      if (socket) resolve(socket);
      else {
        reject(
          new CloudEasyMLError(
            'invalid_settings',
            `Cannot listen on ${host}:${port}: another program has the port, or the address is not this machine’s. Choose another with --port or CLOUDEASYML_PORT.`,
            { path: 'port' },
          ),
        );
      }
    };
    // Without exclusiveness a second server would silently share the port.
    (app as unknown as ExclusiveApp).listen(host, port, exclusivePort, listening);
  });
}

function urlOf(host: string, port: number): string {
  const anyAddress = host === '0.0.0.0' || host === '::';
  const name = anyAddress ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
