import uWS, { type us_listen_socket } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { KeyRing } from '../../../dist/auth/keyRing.js';
import type {
  DeploymentRequest,
  DeploymentService,
  DeploymentView,
  ModelCatalog,
} from '../../../dist/deployment/deploymentService.js';
import { CloudEasyMLError } from '../../../dist/errors.js';
import { CorsPolicy } from '../../../dist/server/cors.js';
import { registerManagementRoutes } from '../../../dist/server/managementRoutes.js';
import { type Readiness, Router } from '../../../dist/server/router.js';
import { openStore } from '../../../dist/store/database.js';
import { DeploymentStore } from '../../../dist/store/deploymentStore.js';
import { KeyStore } from '../../../dist/store/keyStore.js';
import { UsageStore } from '../../../dist/store/usageStore.js';
import { createLogger } from '../../../dist/telemetry/logger.js';
import { UsageRecorder } from '../../../dist/usage/usageRecorder.js';

const model = {
  name: 'doubler',
  version: '1.2.0',
  description: 'Doubles',
  author: 'test',
  createdAt: '2026-01-01T00:00:00.000Z',
  tags: [],
  requirements: [],
  gpuRequired: false,
  minMemoryGb: 0,
  estimatedCostPerRequest: 0.5,
};

/** Deployments without models: what the routes need of them, over the real table. */
class StoredDeployments implements DeploymentService {
  readonly #store: DeploymentStore;
  constructor(store: DeploymentStore) {
    this.#store = store;
  }

  async create(userId: string, _index: number, request: DeploymentRequest) {
    if (request.modelName !== model.name) {
      throw new CloudEasyMLError('model_not_found', `There is no model "${request.modelName}".`);
    }
    if (request.config.explode) throw new Error('secret detail of a failure');
    const deploymentId = randomUUID();
    const modelVersion = request.modelVersion === 'latest' ? model.version : request.modelVersion;
    this.#store.add({
      ...request,
      deploymentId,
      userId,
      modelVersion,
      createdAt: Date.now(),
      pinned: false,
    });
    return this.get(deploymentId) as DeploymentView;
  }

  list(userId: string | undefined): DeploymentView[] {
    return this.#store
      .list()
      .filter((record) => userId === undefined || record.userId === userId)
      .map(({ pinned: _, ...record }) => ({
        ...record,
        status: 'active',
        endpoint: `/predict/${record.deploymentId}`,
        createdAt: new Date(record.createdAt).toISOString(),
      }));
  }

  get(deploymentId: string): DeploymentView | undefined {
    return this.list(undefined).find((view) => view.deploymentId === deploymentId);
  }

  async remove(deploymentId: string): Promise<void> {
    this.#store.remove(deploymentId);
  }
}

export interface CallOptions {
  key?: string;
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  raw?: string | Uint8Array;
  headers?: Record<string, string>;
}

export interface CallAnswer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the server sent, for the tests to look into
  json: any;
}

export interface ControlPlaneOptions {
  data?: string;
  adminKey?: string;
  bodyLimit?: number;
  requestTimeoutMs?: number;
  cors?: string[];
  now?: () => number;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'cloudeasyml-test-'));
  folders.push(folder);
  return folder;
}

/** The management routes on a port of their own, with a data folder of their own. */
export class ControlPlane {
  readonly data: string;
  readonly adminKey: string;
  readonly keys: KeyRing;
  readonly usage: UsageRecorder;
  readonly log: string[] = [];
  readiness: Readiness = 'ready';
  readonly #store;
  readonly #app = uWS.App();
  #socket: us_listen_socket | undefined;
  #port = 0;

  constructor(options: ControlPlaneOptions) {
    this.data = options.data ?? temporaryFolder();
    const logger = createLogger('debug', { write: (line: string) => void this.log.push(line) });
    this.#store = openStore(this.data, logger);
    this.keys = new KeyRing(new KeyStore(this.#store), logger, options.now);
    this.adminKey = this.keys.bootstrap(options.adminKey) ?? options.adminKey ?? '';
    this.usage = new UsageRecorder(new UsageStore(this.#store), logger, options.now);
    const catalog: ModelCatalog = { list: () => [model] };
    const services = {
      keys: this.keys,
      usage: this.usage,
      logger,
      catalog,
      deployments: new StoredDeployments(new DeploymentStore(this.#store)),
      cors: new CorsPolicy(options.cors ?? []),
      limits: {
        bodyLimit: options.bodyLimit ?? 65_536,
        requestTimeoutMs: options.requestTimeoutMs ?? 5000,
        idleTimeout: 120,
      },
      serverTiming: false,
      readiness: () => this.readiness,
    };
    const router = new Router(this.#app, services);
    registerManagementRoutes(router, services);
    router.finish();
  }

  static start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const plane = new ControlPlane(options);
    return new Promise((resolve, reject) => {
      plane.#app.listen('127.0.0.1', 0, (socket) => {
        if (!socket) return reject(new Error('no port to listen on'));
        plane.#socket = socket;
        plane.#port = uWS.us_socket_local_port(socket);
        resolve(plane);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async call(method: string, route: string, options: CallOptions = {}): Promise<CallAnswer> {
    const body =
      options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    const response = await fetch(this.url + route, {
      method,
      headers: {
        ...(options.key !== undefined && { authorization: `Bearer ${options.key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json')
      ? JSON.parse(text)
      : undefined;
    return { status: response.status, headers: response.headers, text, json };
  }

  /** Makes a key as the admin and answers with it. */
  async makeKey(request: Record<string, unknown> = {}): Promise<string> {
    const { status, json } = await this.call('POST', '/api-keys', {
      key: this.adminKey,
      body: { name: 'test', userId: 'ada', ...request },
    });
    if (status !== 201) throw new Error(`no key was made: ${JSON.stringify(json)}`);
    return json.apiKey;
  }

  /** A bare connection, for requests that no client library would send. */
  connect(): net.Socket {
    return net.connect(this.#port, '127.0.0.1');
  }

  /** Stops, as a process that ends does. The data folder stays until the test file is done. */
  stop(): void {
    this.usage.stop();
    if (this.#socket) uWS.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
    this.#app.close();
    this.keys.close();
    this.#store.close();
  }
}
