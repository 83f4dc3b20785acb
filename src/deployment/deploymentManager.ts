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
import type { WorkerPool } from '../worker/workerPool.js';
import { Deployment } from './deployment.js';
import type { DeploymentRequest, DeploymentView } from './deploymentView.js';

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
  }

  /** Brings the stored deployments up again, each on its own: one that fails keeps none from serving. */
  async restore(): Promise<void> {
    const { catalog, store, logger, userIndexOf } = this.#dependencies;
    await Promise.all(
      store.list().map(async (stored) => {
        const record = this.#onCurrentVersion(stored);
        const deployment = new Deployment(record, userIndexOf(record.userId));
        this.#byId.set(record.deploymentId, deployment);
        let directory: string | undefined;
        try {
          const plugin = catalog.find(record.modelName, record.modelVersion);
          directory = plugin.directory;
          await this.#bringUp(deployment, plugin, mergeConfig(plugin, record.config));
        } catch (error) {
          deployment.fail(errorForClient(error, directory).message);
          this.#keepClosed(deployment);
          logger.error(
            { deploymentId: record.deploymentId, modelName: record.modelName, err: error },
            'a stored deployment did not come up',
          );
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
    const { catalog, store, logger } = this.#dependencies;
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
      logger.warn({ userId, modelName: plugin.name, err: error }, 'a deployment failed');
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

  /**
   * Removes a deployment: it takes nothing new, answers what it has accepted, and unloads.
   *
   * @throws CloudEasyMLError storage_failed; then it goes on serving
   */
  async remove(deploymentId: string): Promise<void> {
    const deployment = this.#byId.get(deploymentId);
    if (!deployment) return;
    this.#dependencies.store.remove(deploymentId);
    await this.#takeDown(deployment);
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
      await pool.host({
        handle: queue.handle,
        plugin:
          plugin.kind === 'code'
            ? {
                name: plugin.name,
                directory: plugin.directory,
                entry: plugin.entry,
                config: merged.config,
                serving: merged.serving,
              }
            : undefined,
      });
      if (!this.#byId.has(deployment.deploymentId)) {
        await pool.unhost(queue.handle);
        throw new CloudEasyMLError('conflict', 'The deployment was removed while it loaded.');
      }
    } catch (error) {
      queue.remove();
      deployment.endpoint?.remove();
      throw error;
    }
    this.#byHandle.set(queue.handle, deployment);
    deployment.activate(queue, plugin.metadata.estimatedCostPerRequest);
  }

  async #takeDown(deployment: Deployment): Promise<void> {
    this.#byId.delete(deployment.deploymentId);
    const { queue } = deployment;
    if (!queue) return;
    queue.stopAccepting();
    for (const deadline = Date.now() + drainMs; !queue.idle && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    queue.remove();
    deployment.endpoint?.remove();
    await this.#dependencies.pool.unhost(queue.handle);
    this.#byHandle.delete(queue.handle);
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
    if (!this.#byId.has(deployment.deploymentId)) return;
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
