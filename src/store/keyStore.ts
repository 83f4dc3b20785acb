import { z } from 'zod';
import { permissions } from '../auth/permissions.js';
import { jsonColumn } from './jsonColumn.js';
import type { Store } from './store.js';

const keyRow = z.object({
  keyId: z.string().min(1),
  userId: z.string().min(1),
  name: z.string(),
  /** SHA-256 of the whole key, in hexadecimal. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  permissions: jsonColumn(z.array(z.enum(permissions))),
  /** Requests per minute; null for no limit. */
  rateLimit: z.number().positive().nullable(),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
  /** Milliseconds since 1970; null for never. */
  expiresAt: z.number().nullable(),
});

/** An API key as it is stored: never the key itself. */
export type KeyRecord = z.output<typeof keyRow>;

/** The table of API keys. */
export class KeyStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Adds a key, or replaces the one with its id.
   *
   * @throws CloudEasyMLError `storage_failed`
   */
  put(key: KeyRecord): void {
    this.#store.write('No API key was made.', () =>
      this.#store.database
        .prepare(
          `INSERT OR REPLACE INTO api_keys
           VALUES (:keyId, :userId, :name, :hash, :permissions, :rateLimit, :createdAt, :expiresAt)`,
        )
        .run({ ...key, permissions: JSON.stringify(key.permissions) }),
    );
  }

  /**
   * Every key, oldest first.
   *
   * @throws CloudEasyMLError `invalid_settings` where the database is damaged
   */
  list(): KeyRecord[] {
    return this.#store.readAll('api_keys', 'keyId', 'createdAt, keyId', keyRow);
  }

  /** @throws CloudEasyMLError `storage_failed` */
  remove(keyId: string): void {
    this.#store.write(
      `The API key ${keyId} is refused from now on, but would be valid again after a restart; ` +
        'the server goes on trying to store that it was removed.',
      () => this.#store.database.prepare('DELETE FROM api_keys WHERE keyId = ?').run(keyId),
    );
  }
}
