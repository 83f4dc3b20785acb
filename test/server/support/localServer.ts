import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { type RunningServer, startServer } from '../../../dist/server/server.js';
import { loadSettings } from '../../../dist/settings/loadSettings.js';
import type { Settings } from '../../../dist/settings/settingsSchema.js';
import { createLogger } from '../../../dist/telemetry/logger.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const plugins = fileURLToPath(new URL('../plugins', import.meta.url));
const running = new Set<LocalServer>();

afterAll(async () => {
  await Promise.all([...running].map((server) => server.stop()));
});

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

export interface LocalServerOptions extends Partial<Settings> {
  /** The server's clock, where it is not the system's. */
  now?: () => number;
}

/**
 * A server in the tests' own process, so that they can set its clock and read its log. It has one worker, a data
 * folder of its own and the plugins beside this folder, and stops without waiting for requests in flight, unless
 * its options say otherwise.
 */
export class LocalServer {
  readonly data: string;
  /** '' where this start did not make one and was given none. */
  readonly adminKey: string;
  readonly log: readonly string[];
  readonly #server: RunningServer;

  private constructor(
    server: RunningServer,
    data: string,
    adminKey: string,
    log: readonly string[],
  ) {
    this.#server = server;
    this.data = data;
    this.adminKey = adminKey;
    this.log = log;
    running.add(this);
  }

  static async start({ now, ...options }: LocalServerOptions = {}): Promise<LocalServer> {
    const data = options.data ?? temporaryFolder();
    const log: string[] = [];
    const logger = createLogger('debug', { write: (line: string) => void log.push(line) });
    const { settings } = loadSettings({ directory: data, env: {}, args: [] });
    const server = await startServer(
      {
        ...settings,
        port: 0,
        plugins: [plugins],
        workers: 1,
        drainTimeoutMs: 0,
        ...options,
        data,
      },
      logger,
      { now },
    );
    await server.ready;
    return new LocalServer(server, data, server.newAdminKey ?? options.adminKey ?? '', log);
  }

  get url(): string {
    return this.#server.url;
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
    const isJson = text !== '' && response.headers.get('content-type')?.includes('json');
    const json = isJson ? JSON.parse(text) : undefined;
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

  /** @returns the id of a new deployment */
  async deploy(key: string, modelName = 'doubler', config: object = {}): Promise<string> {
    const body = { modelName, config };
    const { status, text, json } = await this.call('POST', '/deployments', { key, body });
    if (status !== 201) throw new Error(`${modelName} was not deployed: ${text}`);
    return json.deployment.deploymentId;
  }

  predict(key: string, deploymentId: string, data: unknown): Promise<CallAnswer> {
    return this.call('POST', `/predict/${deploymentId}`, { key, body: { data } });
  }

  /** A bare connection, for requests that no client library would send. */
  connect(): net.Socket {
    return net.connect(this.#server.port, '127.0.0.1');
  }

  /** In order. The data folder stays until the test file is done. */
  async stop(): Promise<void> {
    running.delete(this);
    await this.#server.close();
  }
}
