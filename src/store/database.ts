import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import type { Logger } from 'pino';
import { CloudEasyMLError } from '../errors.js';
import { DataLock } from './dataLock.js';
import { Store, unreadable } from './store.js';

/** Pages of 4 KiB in the write-ahead log that are merged into the file. */
const mergedPages = 100;

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
  // Of the deployments so far nobody knows whether their user named a version; `latest` is the default.
  'ALTER TABLE deployments ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;',
];

function schemaVersion(database: Database.Database): number {
  // libsql's `pragma(…, {simple: true})` answers with the row, not the value.
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
  return row.user_version;
}

function migrate(database: Database.Database, file: string): void {
  const found = schemaVersion(database);
  if (found > migrations.length) {
    throw new CloudEasyMLError(
      'invalid_settings',
      `The database ${file} has schema version ${found}, but this server knows versions up to ` +
        `${migrations.length}: it was written by a newer server.`,
      { path: 'data' },
    );
  }
  if (found === migrations.length) return;
  database
    .transaction(() => {
      for (const step of migrations.slice(found)) database.exec(step);
      database.exec(`PRAGMA user_version = ${migrations.length}`);
    })
    .immediate();
}

/** Makes a file that only the server's user may read; SQLite gives the files beside it the same mode. */
function makePrivate(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
}

function openDatabase(file: string): Database.Database {
  makePrivate(file);
  const database = new Database(file, { timeout: 5000 });
  try {
    database.pragma('journal_mode = WAL');
    // On a disk that fills up, a long log would take the room that its own merging needs.
    database.pragma(`wal_autocheckpoint = ${mergedPages}`);
    migrate(database, file);
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/**
 * Opens the database `cloudeasyml.db` in the data folder, making both where they are missing, and
 * brings its schema up to date. Until it is closed no other server can open it.
 *
 * @throws CloudEasyMLError `invalid_settings` where the folder or the file cannot be used, or another
 *   server uses them
 */
export function openStore(dataFolder: string, logger: Logger): Store {
  const file = path.join(dataFolder, 'cloudeasyml.db');
  let lock: DataLock | undefined;
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    makePrivate(path.join(dataFolder, 'cloudeasyml.lock'));
    lock = new DataLock(dataFolder);
    return new Store(openDatabase(file), file, lock, logger);
  } catch (cause) {
    lock?.release();
    if (cause instanceof CloudEasyMLError) throw cause;
    throw unreadable(file, cause);
  }
}
