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
import { CorsPolicy } from './http/cors.js';
import { Pipeline, type Readiness } from './http/pipeline.js';
import { Router } from './http/router.js';
import { openFileLimit } from './openFileLimit.js';
import { Predictor } from './predict/predictor.js';
import { predictOneRoute, predictRoute } from './predict/predictRoutes.js';
import { docsRoutes } from './routes/docs.js';
import { managementRoutes } from './routes/index.js';
import type { RouteServices } from './routes/services.js';
import { SocketServer } from './socket/socketServer.js';

/** Files that the process may always open, whatever WebSockets there are: for health checks, management, models. */
const reservedFiles = 256;
/** How long clients that keep their connections are told to close them before no new ones are taken. */
const noticeMs = 200;
/** A turn of the event loop that takes less has answered no request. */
const quietTurnMs = 0.05;
/** How long such a turn is waited for. */
const longestWaitMs = 100;
/** For the last answers to be written. */
const turnMs = 20;

/** What a server takes from outside beside its settings. */
export interface ServerOptions {
  /** Milliseconds since 1970, by which keys expire and usage has its day; the system's by default. */
  now?: () => number;
}

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly url: string;
  /** The bootstrap key where this start made one: it can't be shown again. */
  readonly newAdminKey: string | undefined;
  /** Resolves when the stored deployments are up, or are known to have failed. */
  readonly ready: Promise<void>;
  /** Takes no more connections, answers what is in flight within the drain time, frees everything. */
  close(): Promise<void>;
}

/**
 * Starts a server: its plugins, workers and routes. It listens before its stored deployments are up.
 *
 * @throws CloudEasyMLError invalid_settings, library_unavailable
 */
export async function startServer(
  settings: Settings,
  logger: Logger,
  { now = Date.now }: ServerOptions = {},
): Promise<RunningServer> {
  // What plugins save and load must be where the server was told to keep its data, in every thread.
  process.env.CLOUDEASYML_DATA = settings.data;
  configureRuntime(settings.onnxRuntime);
  limitMemory(settings);
  const { version, executionProviders } = runtimeInfo();
  logger.info({ version, executionProviders, workers: settings.workers }, 'ONNX Runtime is loaded');

  const store = openStore(settings.data, logger);
  const keys = new KeyRing(new KeyStore(store), logger, now);
  const newAdminKey = keys.bootstrap(settings.adminKey);
  const usage = new UsageRecorder(new UsageStore(store), logger, now);
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
  const services: RouteServices = {
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
  const pipeline = new Pipeline(services);
  const router = new Router(app, pipeline);
  const accounts = new RequestAccounts(usage);
  const predictor = new Predictor(pipeline, deployments, accounts);
  const sockets = new SocketServer(pipeline, deployments, accounts, {
    ...settings,
    maxSockets: Math.min(settings.maxSockets, openFileLimit() - reservedFiles),
  });
  keys.onEnded((principal) => {
    sockets.dismiss(principal);
    predictor.dismiss(principal);
  });
  sockets.register(app, '/predict');
  const management = managementRoutes(services);
  for (const route of [
    ...management,
    ...docsRoutes([...management, predictRoute, predictOneRoute]),
  ]) {
    router.add(route);
  }
  router.listen(predictRoute, predictor.predict);
  router.listen(predictOneRoute, predictor.predictOne);
  router.finish();

  const socket = await listen(app, settings);
  const port = uWS.us_socket_local_port(socket);
  const ready = deployments.restore().then(() => {
    if (readiness === 'starting') readiness = 'ready';
  });

  const inFlight = () => predictor.inFlight + sockets.inFlight + router.inFlight;
  const close = async () => {
    if (readiness === 'draining') return;
    readiness = 'draining';
    const deadline = Date.now() + settings.drainTimeoutMs;
    pipeline.closesConnections = true;
    await pause(Math.min(noticeMs, settings.drainTimeoutMs));
    await quietTurn();
    uWS.us_listen_socket_close(socket);
    sockets.drain();
    // What comes on a connection that is still open is answered, too.
    do await pause(turnMs);
    while (inFlight() > 0 && Date.now() < deadline);
    if (inFlight() > 0) {
      logger.warn({ inFlight: inFlight() }, 'requests were cut off: draining took too long');
    }
    predictor.cutStreams();
    sockets.close();
    await pause(turnMs);
    app.close();
    predictor.close();
    pipeline.close();
    await pool.close();
    usage.stop();
    keys.close();
    store.close();
    logger.info('the server has stopped');
  };
  return { port, url: urlOf(settings.host, port), newAdminKey, ready, close };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Resolves after a turn of the event loop with next to nothing to do but to accept connections. Those that wait to
 * be accepted when the listener closes are reset, with the requests that were sent on them.
 */
async function quietTurn(): Promise<void> {
  for (const latest = performance.now() + longestWaitMs; performance.now() < latest; ) {
    const began = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    if (performance.now() - began < quietTurnMs) return;
  }
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
