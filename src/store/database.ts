import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { CloudEasyMLError } from '../errors.js';

export type Store = Database.Database;

/** One step from each version of the schema to the next; a step that was released never changes. */
const migrations: readonly string[] = [
  `CREATE TABLE api_keys (
     keyId TEXT PRIMARY KEY,
     userId TEXT NOT NULL,
     name TEXT NOT NULL,
     hash TEXT NOT NULL,
     permissions TEXT NOT NULL,
     rateLimit INTEGER,
     createdAt INTEGER NOT NULL,
     expiresAt INTEGER
   ) STRICT;
   CREATE INDEX api_keys_by_user ON api_keys (userId);

   CREATE TABLE deployments (
     deploymentId TEXT PRIMARY KEY,
     userId TEXT NOT NULL,
     modelName TEXT NOT NULL,
     modelVersion TEXT NOT NULL,
     config TEXT NOT NULL,
     createdAt INTEGER NOT NULL
   ) STRICT;

   CREATE TABLE usage (
     userId TEXT NOT NULL,
     day TEXT NOT NULL,
     modelName TEXT NOT NULL,
     deploymentId TEXT NOT NULL,
     requests INTEGER NOT NULL,
     rowCount INTEGER NOT NULL,
     errors INTEGER NOT NULL,
     processingTimeMs REAL NOT NULL,
     cost REAL NOT NULL,
     PRIMARY KEY (userId, day, modelName, deploymentId)
   ) STRICT, WITHOUT ROWID;`,
];

function schemaVersion(store: Store): number {
  // libsql's `pragma(…, {simple: true})` answers with the row, not the value.
  const row = store.prepare('PRAGMA user_version').get() as { user_version: number };
  return row.user_version;
}

function migrate(store: Store, file: string): void {
  const found = schemaVersion(store);
  if (found > migrations.length) {
    throw new CloudEasyMLError(
      'invalid_settings',
      `The database ${file} has schema version ${found}, but this server knows versions up to ` +
        `${migrations.length}: it was written by a newer server.`,
      { path: 'data' },
    );
  }
  if (found === migrations.length) return;
  store
    .transaction(() => {
      for (const step of migrations.slice(schemaVersion(store))) store.exec(step);
      store.exec(`PRAGMA user_version = ${migrations.length}`);
    })
    .immediate();
}

/**
 * Opens the database `cloudeasyml.db` in the data folder, making both where they are missing, and
 * brings its schema up to date.
 *
 * @throws CloudEasyMLError `invalid_settings` where the folder or the file cannot be used
 */
export function openStore(dataFolder: string): Store {
  const file = path.join(dataFolder, 'cloudeasyml.db');
  let store: Store | undefined;
  try {
    mkdirSync(dataFolder, { recursive: true });
    store = new Database(file, { timeout: 5000 });
    store.pragma('journal_mode = WAL');
    // In WAL mode a power cut may then lose the last commits, but never damages the file.
    store.pragma('synchronous = NORMAL');
    migrate(store, file);
    return store;
  } catch (cause) {
    store?.close();
    if (cause instanceof CloudEasyMLError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CloudEasyMLError(
      'invalid_settings',
      `The database ${file} cannot be opened: ${reason}`,
      { path: 'data', cause },
    );
  }
}
