import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type BatchLimits, BatchQueue } from '../engine/batchQueue.js';
import { Endpoint } from '../engine/endpoint.js';
import { type InspectedModel, inspectModel } from '../engine/inspectedModel.js';
import { InferenceSession } from '../engine/session.js';
import { CloudEasyMLError } from '../errors.js';
import type { PluginCatalog } from '../plugin/catalog.js';
import type { Plugin } from '../plugin/discovery.js';
import { type DeploymentConfig, mergeConfig } from '../plugin/overrides.js';
import { servingDefaults } from '../plugin/servingConfig.js';
import { errorForClient } from '../serverPaths.js';
import type { DeploymentRecord, DeploymentStore } from '../store/deploymentStore.js';
import type { HostedPlugin, PluginLog } from '../worker/messages.js';
import type { WorkerPool } from '../worker/workerPool.js';
import { Deployment } from './deployment.js';
import type {
  DeploymentRequest,
  DeploymentStatus,
  DeploymentView,
  NotServing,
} from './deploymentView.js';

/** How long a removed deployment may take to answer what it had accepted. */
const drainMs = 30_000;

interface Dependencies {
  catalog: PluginCatalog;
  pool: WorkerPool;
  store: DeploymentStore;
  logger: Logger;
  /** A user's number in the engine. */
  userIndexOf(userId: string): number;
}

/** Every deployment of the process: brings them up, keeps them across restarts, takes them down. */
export class DeploymentManager {
  readonly #dependencies: Dependencies;
  readonly #byId = new Map<string, Deployment>();
  readonly #byHandle = new Map<number, Deployment>();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    dependencies.pool.onHosting = (handle) => this.#onHosting(handle);
    dependencies.pool.onLog = (line) => this.#log(line);
  }

  /** Brings the stored deployments up again, each on its own: one that fails keeps none from serving. */
  async restore(): Promise<void> {
    const { catalog, store, userIndexOf } = this.#dependencies;
    await Promise.all(
      store.list().map(async (stored) => {
        const record = this.#onCurrentVersion(stored);
        const deployment = new Deployment(record, userIndexOf(record.userId));
        this.#byId.set(record.deploymentId, deployment);
        try {
          const plugin = catalog.find(record.modelName, record.modelVersion);
          await this.#bringUp(deployment, plugin, mergeConfig(plugin, record.config));
        } catch (error) {
          if (deployment.loading.signal.aborted) return;
          this.#keepClosed(deployment);
          this.#become(deployment, 'failed', error);
        }
      }),
    );
  }

  /**
   * Deploys a model for a user; resolves once it serves.
   *
   * @throws CloudEasyMLError model_not_found, invalid_input for its config, model_load_failed or
   *   storage_failed; then nothing is left of it
   */
  async create(
    userId: string,
    userIndex: number,
    request: DeploymentRequest,
  ): Promise<DeploymentView> {
    const { catalog, store } = this.#dependencies;
    const plugin = catalog.find(request.modelName, request.modelVersion);
    const merged = mergeConfig(plugin, request.config);
    const deployment = new Deployment(
      {
        deploymentId: `dep_${randomBytes(10).toString('hex')}`,
        userId,
        modelName: plugin.name,
        modelVersion: plugin.metadata.version,
        config: request.config,
        createdAt: Date.now(),
        pinned: request.modelVersion !== 'latest',
      },
      userIndex,
    );
    this.#byId.set(deployment.deploymentId, deployment);
    try {
      await this.#bringUp(deployment, plugin, merged);
    } catch (error) {
      this.#byId.delete(deployment.deploymentId);
      if (deployment.loading.signal.aborted) throw error;
      this.#become(deployment, 'failed', error);
      throw errorForClient(error, plugin.directory);
    }
    try {
      store.add(deployment.record);
    } catch (error) {
      await this.#takeDown(deployment);
      throw error;
    }
    return deployment.view();
  }

  /** A user's deployments; everyone's for undefined. */
  list(userId: string | undefined): DeploymentView[] {
    return [...this.#byId.values()]
      .filter((deployment) => userId === undefined || deployment.userId === userId)
      .map((deployment) => deployment.view());
  }

  get(deploymentId: string): DeploymentView | undefined {
    return this.#byId.get(deploymentId)?.view();
  }

  /** Those that should serve and can't. */
  notServing(): NotServing[] {
    return [...this.#byId.values()]
      .filter(({ status }) => status === 'failed')
      .map(({ deploymentId, record: { modelName }, status, reason = '' }) => ({
        deploymentId,
        modelName,
        status,
        reason,
      }));
  }

  /**
   * Removes a deployment: it takes nothing new, answers what it has accepted, and unloads. Where it is
   * still loading the attempt ends.
   *
   * @throws CloudEasyMLError storage_failed; then it goes on serving
   */
  async remove(deploymentId: string): Promise<void> {
    const deployment = this.#byId.get(deploymentId);
    if (!deployment) return;
    this.#dependencies.store.remove(deploymentId);
    deployment.removal ??= this.#takeDown(deployment);
    await deployment.removal;
  }

  async #takeDown(deployment: Deployment): Promise<void> {
    const { deploymentId, queue } = deployment;
    if (!queue || deployment.status === 'loading') {
      this.#byId.delete(deploymentId);
      deployment.loading.abort(
        new CloudEasyMLError('conflict', 'The deployment was removed while it loaded.'),
      );
      return;
    }
    this.#become(deployment, 'draining', 'it is being removed');
    for (const deadline = Date.now() + drainMs; !queue.idle && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#byId.delete(deploymentId);
    queue.remove();
    deployment.endpoint?.remove();
    await this.#dependencies.pool.unhost(queue.handle);
    this.#byHandle.delete(queue.handle);
  }

  /** For the predict path. */
  find(deploymentId: string): Deployment | undefined {
    return this.#byId.get(deploymentId);
  }

  /** For the predict path: the deployment that the engine took a request for. */
  byHandle(handle: number): Deployment {
    const deployment = this.#byHandle.get(handle);
    if (!deployment) throw new Error(`The engine named a deployment ${handle} that there is not.`);
    return deployment;
  }

  async #bringUp(deployment: Deployment, plugin: Plugin, merged: DeploymentConfig): Promise<void> {
    const { pool } = this.#dependencies;
    const { signal } = deployment.loading;
    deployment.directory = plugin.directory;
    const model = merged.modelFile
      ? await this.#inspectModel(merged.modelFile, plugin, merged)
      : undefined;
    deployment.batching = model?.batching;
    const queue = this.#open(
      deployment,
      {
        ...merged.serving,
        maxStreams: plugin.streams ? merged.serving.maxStreams : 0,
      },
      model,
    );
    try {
      await pool.host({ handle: queue.handle, plugin: hostedPlugin(plugin, merged) }, signal);
      signal.throwIfAborted();
    } catch (error) {
      queue.remove();
      deployment.endpoint?.remove();
      throw error;
    }
    this.#byHandle.set(queue.handle, deployment);
    deployment.queue = queue;
    deployment.costPerRequest = plugin.metadata.estimatedCostPerRequest;
    this.#onHosting(queue.handle);
  }

  /** Writes what a plugin says. Its own fields can't take the place of the server's. */
  #log({ handle, level, text, details, error }: PluginLog): void {
    const { deploymentId, modelName } = this.#byHandle.get(handle)?.record ?? {};
    this.#dependencies.logger[level](
      {
        deploymentId,
        modelName,
        ...(details && { details }),
        // Without a constructor, so that the log has the error's own name.
        ...(error && { err: Object.assign(Object.create(null), error) }),
      },
      text,
    );
  }

  /** A worker hosts a deployment, or no longer does. */
  #onHosting(handle: number): void {
    const deployment = this.#byHandle.get(handle);
    if (!deployment || deployment.status === 'draining') return;
    const { workers, hosted, loading, reason, error } = this.#dependencies.pool.statusOf(handle);
    if (hosted === workers) this.#become(deployment, 'active');
    else if (hosted + loading > 0) {
      const why = error?.message ?? reason;
      const where = `It serves in ${hosted} of ${workers} workers`;
      this.#become(deployment, 'degraded', why ? `${where}: ${why}` : `${where}.`, error);
    } else this.#become(deployment, 'failed', error);
  }

  /** Logs each change once, with the plugin's own stack where there is one. */
  #become(deployment: Deployment, status: DeploymentStatus, why?: unknown, error = why): void {
    const reason =
      why === undefined ? undefined : errorForClient(why, deployment.directory).message;
    if (!deployment.become(status, reason)) return;
    const { deploymentId, record } = deployment;
    const level = status === 'failed' ? 'error' : status === 'degraded' ? 'warn' : 'info';
    this.#dependencies.logger[level](
      {
        deploymentId,
        modelName: record.modelName,
        status,
        ...(reason !== undefined && { reason }),
        ...(error instanceof Error && { err: error }),
      },
      `a deployment is ${status}`,
    );
  }

  /** Where its user did not name a version, a stored deployment goes on with the one that there is. */
  #onCurrentVersion(record: DeploymentRecord): DeploymentRecord {
    const { catalog, logger } = this.#dependencies;
    const there = catalog.list().find(({ name }) => name === record.modelName)?.version;
    if (record.pinned || there === undefined || there === record.modelVersion) return record;
    const { deploymentId, modelName, modelVersion } = record;
    logger.warn(
      { deploymentId, modelName, from: modelVersion, to: there },
      'a stored deployment comes up on another version of its model',
    );
    return { ...record, modelVersion: there };
  }

  #open(deployment: Deployment, limits: BatchLimits, model?: InspectedModel): BatchQueue {
    const queue = new BatchQueue({ owner: deployment.owner, limits, model });
    deployment.endpoint = new Endpoint(deployment.deploymentId, [{ queue, weight: 1 }]);
    return queue;
  }

  /** Tells requests that name a failed deployment in their body that it is there and does not serve. */
  #keepClosed(deployment: Deployment): void {
    deployment.queue = this.#open(deployment, servingDefaults);
  }

  async #inspectModel(
    modelFile: string,
    plugin: Plugin,
    config: DeploymentConfig,
  ): Promise<InspectedModel> {
    const session = await this.#openSession(modelFile, config);
    try {
      const { batchAxis, maxBatchSize, labels } = config.serving;
      return await inspectModel(session, {
        metadata: { modelName: plugin.name, modelVersion: plugin.metadata.version },
        batchAxis,
        maxBatchSize,
        labels,
      });
    } finally {
      // The inspected model holds it natively; without one it closes here.
      session.release();
    }
  }

  async #openSession(modelFile: string, { serving }: DeploymentConfig): Promise<InferenceSession> {
    try {
      return await InferenceSession.create(modelFile, {
        executionProviders: serving.executionProviders,
        ...serving.session,
      });
    } catch (error) {
      if (error instanceof CloudEasyMLError && error.code === 'provider_unavailable') throw error;
      throw new CloudEasyMLError(
        'model_load_failed',
        error instanceof Error ? error.message : String(error),
        { cause: error },
      );
    }
  }
}

function hostedPlugin(plugin: Plugin, merged: DeploymentConfig): HostedPlugin | undefined {
  if (plugin.kind !== 'code') return undefined;
  const { name, directory, entry } = plugin;
  return { name, directory, entry, config: merged.config, serving: merged.serving };
}
