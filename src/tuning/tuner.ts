import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import type { Plugin } from '../plugin/discovery.js';
import { chooseLoadGenerator, type LoadRequest } from './load.js';
import {
  type Measurement,
  type SearchResult,
  search,
  type ThreadShare,
  type TunedSetting,
} from './search.js';
import { startTuningServer, type TuningServer } from './tuningServer.js';

export interface TuneOptions {
  plugin: Plugin;
  /** The JSON of a body of POST /predict/{deploymentId}. */
  body: string;
  p99LimitUs: number;
  budgetMs: number;
  cores: number;
  signal: AbortSignal;
  onStart: (generator: string) => void;
  onMeasurement: (measurement: Measurement) => void;
}

const warmUpRequests = 50;
const warmUpMs = 500;
/** Long enough for p99 to rest on more than a handful of requests, where these take long. */
const secondsFor = (p99LimitUs: number) => Math.min(5, Math.max(1, Math.ceil(p99LimitUs / 2e5)));

/**
 * Searches a plugin's best setting on real servers under real load, one server and one deployment at a
 * time.
 *
 * @throws CloudEasyMLError where there is no load generator, the plugin does not load, or the server
 *   does not answer the request with 200
 */
export async function tune(options: TuneOptions): Promise<SearchResult> {
  const { plugin, body, p99LimitUs, budgetMs, cores, signal } = options;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'cloudeasyml-load-'));
  const bench = new Bench(plugin, body, signal);
  try {
    const generator = await chooseLoadGenerator(folder, signal);
    options.onStart(generator.name);
    const { maxBatchSize, maxQueueDelayUs, session } = plugin.serving;
    return await search({
      cores,
      p99LimitUs,
      budgetMs,
      batching: { maxBatchSize, maxQueueDelayUs },
      fixedIntraOpThreads: session.intraOpThreads,
      measure: async (setting, connections) => {
        const request = await bench.requestFor(setting);
        const load = await generator.run(request, connections, secondsFor(p99LimitUs));
        signal.throwIfAborted();
        const measurement = { setting, connections, ...load };
        // Silence is no latency of zero.
        if (load.requestsPerSecond === 0) measurement.failures = Math.max(1, load.failures);
        options.onMeasurement(measurement);
        return measurement;
      },
    });
  } finally {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Keeps one server and one deployment up: those of the setting asked for last. */
class Bench {
  #server: (ThreadShare & { process: TuningServer }) | undefined;
  #deployment: { setting: TunedSetting; request: LoadRequest; id: string } | undefined;

  constructor(
    private readonly plugin: Plugin,
    private readonly body: string,
    private readonly signal: AbortSignal,
  ) {}

  /** A request to a warm deployment with this setting. */
  async requestFor(setting: TunedSetting): Promise<LoadRequest> {
    if (this.#deployment?.setting === setting) return this.#deployment.request;
    const server = await this.#serverFor(setting);
    if (this.#deployment) await server.undeploy(this.#deployment.id);
    this.#deployment = undefined;
    const { maxBatchSize, maxQueueDelayUs } = setting;
    const id = await server.deploy({ maxBatchSize, maxQueueDelayUs });
    const request = {
      url: `${server.url}/predict/${id}`,
      headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
      body: this.body,
    };
    await this.#warmUp(request);
    this.#deployment = { setting, request, id };
    return request;
  }

  async close(): Promise<void> {
    this.#deployment = undefined;
    const server = this.#server;
    this.#server = undefined;
    await server?.process.stop();
  }

  async #serverFor({ workers, intraOpThreads }: ThreadShare): Promise<TuningServer> {
    const running = this.#server;
    if (running?.workers === workers && running.intraOpThreads === intraOpThreads) {
      return running.process;
    }
    await this.close();
    const process = await startTuningServer({
      plugin: this.plugin,
      env: {
        CLOUDEASYML_WORKERS: String(workers),
        CLOUDEASYML_ONNX_RUNTIME_INTRA_OP_THREADS: String(intraOpThreads),
      },
      signal: this.signal,
    });
    this.#server = { workers, intraOpThreads, process };
    return process;
  }

  /** Also proves that what will be timed are answers. */
  async #warmUp({ url, headers, body }: LoadRequest): Promise<void> {
    const end = Date.now() + warmUpMs;
    for (let sent = 0; sent === 0 || (sent < warmUpRequests && Date.now() < end); sent++) {
      const response = await fetch(url, { method: 'POST', headers, body, signal: this.signal });
      const answer = (await response.json()) as { detail?: string };
      if (response.ok) continue;
      throw new CloudEasyMLError(
        'bad_request',
        `The request was answered ${response.status}, so there is nothing to time: ${answer.detail}`,
      );
    }
  }
}
