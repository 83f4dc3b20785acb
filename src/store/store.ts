import Database from 'libsql';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { CloudEasyMLError } from '../errors.js';
import { check } from '../validation/faults.js';
import type { DataLock } from './dataLock.js';

/** The open database, which belongs to this process alone. */
export class Store {
  readonly database: Database.Database;
  readonly #file: string;
  readonly #lock: DataLock;
  readonly #logger: Logger;
  #isFailing = false;

  constructor(database: Database.Database, file: string, lock: DataLock, logger: Logger) {
    this.database = database;
    this.#file = file;
    this.#lock = lock;
    this.#logger = logger;
  }

  /**
   * Makes a change, all of it or nothing.
   *
   * @param consequence what is so where the change fails, a sentence for the client
   * @param isDurable whether the change, once it is made, outlasts a power cut
   * @throws CloudEasyMLError `storage_failed`; then nothing was changed
   */
  write(consequence: string, change: () => void, isDurable = true): void {
    try {
      this.#setDurable(isDurable);
      this.database.exec('BEGIN IMMEDIATE');
      change();
      this.database.exec('COMMIT');
    } catch (cause) {
      // SQLite itself ends some of the transactions that fail.
      if (this.database.inTransaction) this.database.exec('ROLLBACK');
      this.#noteFailure(cause);
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CloudEasyMLError(
        'storage_failed',
        `${consequence} The change could not be stored: ${reason}.`,
        { cause },
      );
    }
    if (this.#isFailing) this.#logger.info('the database can be written to again');
    this.#isFailing = false;
  }

  /**
   * Reads a table at the start. A row that is not what it should be is logged, left out and left alone.
   *
   * @param key the column that tells which row it is
   * @throws CloudEasyMLError `invalid_settings` where the file is damaged
   */
  readAll<Row>(table: string, key: string, order: string, schema: z.ZodType<Row>): Row[] {
    let rows: Record<string, unknown>[];
    try {
      rows = this.database.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).all() as typeof rows;
    } catch (cause) {
      throw unreadable(this.#file, cause);
    }
    return rows.flatMap((row) => {
      const checked = check(schema, row);
      if (!checked.faults) return [checked.value];
      // What came may be part of a secret.
      const faults = checked.faults.map(({ path, expectation }) => `${path}: ${expectation}`);
      this.#logger.error(
        { table, [key]: row[key], faults },
        'a row of the database is damaged and is left out',
      );
      return [];
    });
  }

  /** Merges the write-ahead log into the file and gives the data folder free. */
  close(): void {
    try {
      this.database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      this.#logger.warn({ err: error }, 'the write-ahead log stays beside the database');
    }
    this.database.close();
    this.#lock.release();
  }

  /** Whoever fails tries again and again, so only the first failure is logged. */
  #noteFailure(error: unknown): void {
    if (!this.#isFailing) this.#logger.error({ err: error }, 'the database cannot be written to');
    this.#isFailing = true;
  }

  #setDurable(isDurable: boolean): void {
    // Without it a power cut may lose the last commits, but never damages the file.
    this.database.pragma(`synchronous = ${isDurable ? 'FULL' : 'NORMAL'}`);
  }
}

/** The error for a database that a server can't start with. */
export function unreadable(file: string, cause: unknown): CloudEasyMLError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Database.SqliteError ? cause.code : '';
  const message = /^SQLITE_(CORRUPT|NOTADB)/.test(code)
    ? `The database ${file} is damaged: ${reason}. Restore it from a backup, or move it away together with the files ` +
      'beside it whose names begin like its own: the server then starts with a new one, without keys and deployments.'
    : `The database ${file} cannot be opened: ${reason}`;
  return new CloudEasyMLError('invalid_settings', message, { path: 'data', cause });
}
