import type { Permission } from '../auth/permissions.js';
import type { Store } from './database.js';

/** An API key as it is stored: never the key itself. */
export interface KeyRecord {
  keyId: string;
  userId: string;
  name: string;
  /** SHA-256 of the whole key, in hexadecimal. */
  hash: string;
  permissions: Permission[];
  /** Requests per minute; null for no limit. */
  rateLimit: number | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Milliseconds since 1970; null for never. */
  expiresAt: number | null;
}

type Row = Omit<KeyRecord, 'permissions'> & { permissions: string };

function fromRow(row: Row): KeyRecord {
  return {
    keyId: row.keyId,
    userId: row.userId,
    name: row.name,
    hash: row.hash,
    permissions: JSON.parse(row.permissions) as Permission[],
    rateLimit: row.rateLimit,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
  };
}

/** The table of API keys. */
export class KeyStore {
  readonly #store: Store;
  readonly #find;

  constructor(store: Store) {
    this.#store = store;
    this.#find = store.prepare('SELECT * FROM api_keys WHERE keyId = ?');
  }

  find(keyId: string): KeyRecord | undefined {
    const row = this.#find.get(keyId) as Row | undefined;
    return row && fromRow(row);
  }

  /** Adds a key, or replaces the one with its id. */
  put(key: KeyRecord): void {
    this.#store
      .prepare(
        `INSERT OR REPLACE INTO api_keys
         VALUES (:keyId, :userId, :name, :hash, :permissions, :rateLimit, :createdAt, :expiresAt)`,
      )
      .run({ ...key, permissions: JSON.stringify(key.permissions) });
  }

  /** A user's keys, or everyone's, oldest first. */
  list(userId?: string): KeyRecord[] {
    const rows = (
      userId === undefined
        ? this.#store.prepare('SELECT * FROM api_keys ORDER BY createdAt, keyId').all()
        : this.#store
            .prepare('SELECT * FROM api_keys WHERE userId = ? ORDER BY createdAt, keyId')
            .all(userId)
    ) as Row[];
    return rows.map(fromRow);
  }

  remove(keyId: string): void {
    this.#store.prepare('DELETE FROM api_keys WHERE keyId = ?').run(keyId);
  }
}
