import path from 'node:path';
import Database from 'libsql';
import { CloudEasyMLError } from '../errors.js';

/** Keeps a data folder to one server. The lock is SQLite's on an empty file: it ends with the process. */
export class DataLock {
  readonly #database: Database.Database;

  /** @throws CloudEasyMLError `invalid_settings` where another server has the folder */
  constructor(dataFolder: string) {
    this.#database = new Database(path.join(dataFolder, 'cloudeasyml.lock'), { timeout: 0 });
    try {
      // Nothing is ever written, so no journal is needed either.
      this.#database.pragma('journal_mode = MEMORY');
      this.#database.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      this.#database.close();
      if (!(cause instanceof Database.SqliteError) || cause.code !== 'SQLITE_BUSY') throw cause;
      throw new CloudEasyMLError(
        'invalid_settings',
        `Another server runs on the data folder ${dataFolder}. Stop it, or give this one a folder of its own with --data or CLOUDEASYML_DATA.`,
        { path: 'data', cause },
      );
    }
  }

  release(): void {
    // libsql closes the file some time later.
    this.#database.exec('ROLLBACK');
    this.#database.close();
  }
}
