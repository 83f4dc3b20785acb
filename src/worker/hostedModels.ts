import type { BatchWorker } from '../engine/batchWorker.js';
import type { BaseModel } from '../plugin/baseModel.js';
import type { CodeGuard } from './codeGuard.js';
import { Garbage } from './garbage.js';
import { HostedModel } from './hostedModel.js';
import { loadTimedOut } from './loadFailure.js';
import { loadInstance } from './loadInstance.js';
import type { FromWorker, HostedPlugin, Hosting } from './messages.js';
import { DeploymentLog } from './pluginLogger.js';
import { within } from './within.js';

/** How long the code of stopped streams may take to end before its model is unloaded. */
const streamEndMs = 1_000;
const unloadMs = 5_000;
/** How long after its deadline a batch's promise may stay pending before its instance is given up. */
const overrunMs = 10_000;

/** The plugin instances of one worker, by the deployments' handles. */
export class HostedModels {
  readonly #engine: BatchWorker;
  readonly #guard: CodeGuard;
  readonly #streamsEnded: (model: HostedModel) => Promise<void>;
  readonly #tell: (message: FromWorker) => void;
  readonly #models = new Map<number, HostedModel>();
  /** The deployments that load here, each with its attempt. */
  readonly #loading = new Map<number, symbol>();
  readonly #garbage = new Garbage();

  /** @param streamsEnded resolves when the code of a model's streams has ended */
  constructor(
    engine: BatchWorker,
    guard: CodeGuard,
    streamsEnded: (model: HostedModel) => Promise<void>,
    tell: (message: FromWorker) => void,
  ) {
    this.#engine = engine;
    this.#guard = guard;
    this.#streamsEnded = streamsEnded;
    this.#tell = tell;
  }

  /** Whether there is plugin code in this thread. */
  get hasCode(): boolean {
    return this.#models.size > 0 || this.#loading.size > 0;
  }

  get(handle: number): HostedModel | undefined {
    return this.#models.get(handle);
  }

  /**
   * Loads a deployment's model and takes its batches from then on.
   *
   * @throws whatever the plugin throws; CloudEasyMLError where it takes too long
   */
  async host({ handle, plugin, loadLimitMs }: Hosting): Promise<void> {
    if (plugin) {
      const attempt = Symbol();
      this.#loading.set(handle, attempt);
      try {
        const limitMs = loadLimitMs ?? plugin.serving.loadTimeoutMs;
        const log = new DeploymentLog(handle, this.#tell);
        const instance = this.#load(plugin, log, limitMs);
        const isWanted = () => this.#loading.get(handle) === attempt;
        // Where it comes too late, or was unhosted while it loaded.
        const onLoaded = (model: BaseModel) => {
          if (!isWanted()) void this.#unload(handle, model);
        };
        void instance.then(onLoaded, () => {});
        const model = await within(instance, limitMs, () => loadTimedOut(limitMs));
        if (!isWanted()) return;
        this.#models.set(handle, new HostedModel(this.#engine, model, handle, plugin, log));
      } finally {
        if (this.#loading.get(handle) === attempt) this.#loading.delete(handle);
      }
    }
    this.#engine.host(handle);
  }

  /** Takes no more batches of a deployment and unloads its model, when its streams have ended. */
  async unhost(handle: number): Promise<void> {
    this.#engine.unhost(handle);
    this.#loading.delete(handle);
    const model = this.#models.get(handle);
    this.#models.delete(handle);
    if (!model) return;
    const patience = new Promise((resolve) => setTimeout(resolve, streamEndMs).unref());
    await Promise.race([this.#streamsEnded(model), patience]);
    await this.#unload(handle, model.instance);
  }

  /**
   * Gives up an instance that can't go on with new work. Its streams do.
   *
   * @param pending what it still does beside its streams
   */
  lose(model: HostedModel, reason: string, pending?: Promise<void>): void {
    const { handle } = model;
    if (this.#models.get(handle) !== model) return;
    this.#engine.unhost(handle);
    this.#models.delete(handle);
    this.#tell({ type: 'lost', handle, reason });
    const unload = () => this.#unload(handle, model.instance);
    void Promise.all([this.#streamsEnded(model), pending]).then(unload, unload);
  }

  /** Gives up instances whose promise for a batch stays pending long after the deadline. */
  loseOverdue(): void {
    for (const model of this.#models.values()) {
      const { pendingSince } = model;
      if (performance.now() < pendingSince + model.timeoutMs + overrunMs) continue;
      model.abandonBatch();
      this.lose(model, 'a prediction of its plugin did not end', model.pending);
    }
  }

  #load(plugin: HostedPlugin, log: DeploymentLog, limitMs: number): Promise<BaseModel> {
    let instance: Promise<BaseModel> | undefined;
    const isInterrupted = this.#guard.runFor(limitMs, () => {
      instance = loadInstance(plugin, log);
    });
    return instance && !isInterrupted ? instance : Promise.reject(loadTimedOut(limitMs));
  }

  /** What goes wrong with it costs only itself. */
  async #unload(handle: number, model: BaseModel): Promise<void> {
    let unloading: unknown;
    const late = () => new Error(`unload() did not come back within ${unloadMs / 1000} s.`);
    try {
      const isInterrupted = await this.#guard.runLater(unloadMs, () => {
        // In a promise, so that what it throws does not pass through the engine.
        unloading = (async () => model.unload())();
      });
      if (isInterrupted) throw late();
      await within(Promise.resolve(unloading), unloadMs, late);
    } catch (error) {
      new DeploymentLog(handle, this.#tell).failure('unload() failed', error);
    } finally {
      this.#garbage.collectLater();
    }
  }
}
