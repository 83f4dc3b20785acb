import type { Store } from './database.js';

/** What of a deployment outlives the process. Its status is found anew at each start. */
export interface DeploymentRecord {
  deploymentId: string;
  userId: string;
  modelName: string;
  modelVersion: string;
  config: Record<string, unknown>;
  /** Milliseconds since 1970. */
  createdAt: number;
}

type Row = Omit<DeploymentRecord, 'config'> & { config: string };

/** The table of deployments. */
export class DeploymentStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  add(deployment: DeploymentRecord): void {
    this.#store
      .prepare(
        `INSERT INTO deployments
         VALUES (:deploymentId, :userId, :modelName, :modelVersion, :config, :createdAt)`,
      )
      .run({ ...deployment, config: JSON.stringify(deployment.config) });
  }

  /** Every deployment, oldest first. */
  list(): DeploymentRecord[] {
    const rows = this.#store
      .prepare('SELECT * FROM deployments ORDER BY createdAt, deploymentId')
      .all() as Row[];
    return rows.map((row) => ({
      deploymentId: row.deploymentId,
      userId: row.userId,
      modelName: row.modelName,
      modelVersion: row.modelVersion,
      config: JSON.parse(row.config) as Record<string, unknown>,
      createdAt: row.createdAt,
    }));
  }

  remove(deploymentId: string): void {
    this.#store.prepare('DELETE FROM deployments WHERE deploymentId = ?').run(deploymentId);
  }
}
