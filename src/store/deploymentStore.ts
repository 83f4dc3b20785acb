import { z } from 'zod';
import { jsonColumn } from './jsonColumn.js';
import type { Store } from './store.js';

const deploymentRow = z.object({
  deploymentId: z.string().min(1),
  userId: z.string().min(1),
  modelName: z.string(),
  modelVersion: z.string(),
  config: jsonColumn(z.record(z.string(), z.unknown())),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
  /** Whether its user named the version, rather than `latest`. */
  pinned: z.union([z.literal(0), z.literal(1)]).transform((pinned) => pinned === 1),
});

/** What of a deployment outlives the process. Its status is found anew at each start. */
export type DeploymentRecord = z.output<typeof deploymentRow>;

/** The table of deployments. */
export class DeploymentStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws CloudEasyMLError `storage_failed` */
  add(deployment: DeploymentRecord): void {
    this.#store.write(`The model ${deployment.modelName} was not deployed.`, () =>
      this.#store.database
        .prepare(
          `INSERT INTO deployments
           VALUES (:deploymentId, :userId, :modelName, :modelVersion, :config, :createdAt, :pinned)`,
        )
        .run({
          ...deployment,
          config: JSON.stringify(deployment.config),
          pinned: Number(deployment.pinned),
        }),
    );
  }

  /**
   * Every deployment, oldest first.
   *
   * @throws CloudEasyMLError `invalid_settings` where the database is damaged
   */
  list(): DeploymentRecord[] {
    return this.#store.readAll(
      'deployments',
      'deploymentId',
      'createdAt, deploymentId',
      deploymentRow,
    );
  }

  /** @throws CloudEasyMLError `storage_failed` */
  remove(deploymentId: string): void {
    this.#store.write(`The deployment ${deploymentId} was not removed and goes on serving.`, () =>
      this.#store.database
        .prepare('DELETE FROM deployments WHERE deploymentId = ?')
        .run(deploymentId),
    );
  }
}
