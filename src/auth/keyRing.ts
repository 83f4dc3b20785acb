import { CloudEasyMLError } from '../errors.js';
import type { KeyRecord, KeyStore } from '../store/keyStore.js';
import { bootstrapKeyId, hashKey, keyIdOf, keyMatches, makeKey } from './apiKey.js';
import { defaultPermissions, type Permission, permissions } from './permissions.js';
import { Principal } from './principal.js';

const cachedHeaders = 10_000;
const dayMs = 86_400_000;

/** What a caller asks of a new key. */
export interface KeyRequest {
  name: string;
  /** Defaults to the caller's own. */
  userId?: string;
  /** Defaults to no expiry, or the maker's. */
  expiresInDays?: number;
  /** Requests per minute; defaults to no limit. */
  rateLimit?: number;
  /** Defaults to those of {@link defaultPermissions} that the maker has. */
  permissions?: readonly Permission[];
}

/** The API keys: makes, lists and revokes them, and tells who is behind a request's. */
export class KeyRing {
  readonly #store: KeyStore;
  readonly #now: () => number;
  /** By the whole `Authorization` header, so that a known key costs one look-up and no hashing. */
  readonly #byHeader = new Map<string, Principal>();
  readonly #byKeyId = new Map<string, Principal>();
  readonly #userIndexes = new Map<string, number>();

  /** @param now milliseconds since 1970 */
  constructor(store: KeyStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Sees to it that there is a bootstrap key, with every permission.
   *
   * @param adminKey the key that the settings give; it replaces the stored one
   * @returns the key where one was made, to be shown once; else undefined
   */
  bootstrap(adminKey: string | undefined): string | undefined {
    const stored = this.#store.find(bootstrapKeyId);
    if (adminKey === undefined ? stored : stored && keyMatches(adminKey, stored.hash)) {
      return undefined;
    }
    const key = adminKey ?? makeKey(bootstrapKeyId).key;
    this.#forget(bootstrapKeyId);
    this.#store.put({
      keyId: bootstrapKeyId,
      userId: 'admin',
      name: 'bootstrap',
      hash: hashKey(key),
      permissions: [...permissions],
      rateLimit: null,
      createdAt: this.#now(),
      expiresAt: null,
    });
    return adminKey === undefined ? key : undefined;
  }

  /**
   * Who sends a request with this `Authorization` header ('' where it has none).
   *
   * @throws CloudEasyMLError `key_missing`, or `key_invalid` for one that is unknown, revoked or expired
   */
  authenticate(authorization: string): Principal {
    const known = this.#byHeader.get(authorization);
    if (known && (known.expiresAt === Infinity || known.expiresAt > this.#now())) return known;
    return this.#lookUp(authorization);
  }

  /**
   * Makes a key, within what its maker may give away.
   *
   * @returns the key, which is stored nowhere and can't be shown again, and its record
   * @throws CloudEasyMLError `forbidden` for more than the maker has
   */
  issue(maker: Principal, request: KeyRequest): { key: string; record: KeyRecord } {
    this.#checkGrant(maker, request);
    const now = this.#now();
    const expiresAt =
      request.expiresInDays === undefined
        ? maker.isAdmin
          ? Infinity
          : maker.expiresAt
        : now + Math.round(request.expiresInDays * dayMs);
    if (!maker.isAdmin && expiresAt > maker.expiresAt) {
      throw new CloudEasyMLError('forbidden', 'A key cannot outlive the key that makes it.', {
        path: 'expiresInDays',
      });
    }
    const { keyId, key } = makeKey();
    const record: KeyRecord = {
      keyId,
      userId: request.userId ?? maker.userId,
      name: request.name,
      hash: hashKey(key),
      permissions: [
        ...(request.permissions ??
          defaultPermissions.filter((permission) => maker.may(permission))),
      ],
      rateLimit: request.rateLimit ?? null,
      createdAt: now,
      expiresAt: expiresAt === Infinity ? null : expiresAt,
    };
    this.#store.put(record);
    return { key, record };
  }

  /** The keys of the caller's user; an admin sees everyone's. */
  list(caller: Principal): KeyRecord[] {
    return this.#store.list(caller.isAdmin ? undefined : caller.userId);
  }

  /**
   * Removes a key. It is refused from the next request on.
   *
   * @throws CloudEasyMLError `key_not_found` where there is none, or it is another user's;
   *   `forbidden` for an admin's key unless the caller is one
   */
  revoke(caller: Principal, keyId: string): void {
    const record = this.#store.find(keyId);
    if (!record || (record.userId !== caller.userId && !caller.isAdmin)) {
      throw new CloudEasyMLError('key_not_found', `There is no API key with the id "${keyId}".`);
    }
    if (record.permissions.includes('admin') && !caller.isAdmin) {
      throw new CloudEasyMLError('forbidden', 'Only an admin can remove an admin’s key.');
    }
    this.#store.remove(keyId);
    this.#forget(keyId);
  }

  /** A user's number; see {@link Principal.userIndex}. */
  userIndexOf(userId: string): number {
    let index = this.#userIndexes.get(userId);
    if (index === undefined) {
      index = this.#userIndexes.size;
      this.#userIndexes.set(userId, index);
    }
    return index;
  }

  #checkGrant(maker: Principal, request: KeyRequest): void {
    if (maker.isAdmin) return;
    const refuse = (message: string, path?: string) => {
      throw new CloudEasyMLError('forbidden', message, { path });
    };
    if (request.userId !== undefined && request.userId !== maker.userId) {
      refuse('Only an admin can make a key for another user.', 'userId');
    }
    const excess = request.permissions?.find((permission) => !maker.may(permission));
    if (excess) refuse(`The key that makes another lacks "${excess}" itself.`, 'permissions');
    // Several keys, each with the limit of the one that made them, would be no limit.
    if (maker.rateLimit !== Infinity) refuse('A key with a rate limit cannot make other keys.');
  }

  #lookUp(authorization: string): Principal {
    if (authorization === '') {
      throw new CloudEasyMLError(
        'key_missing',
        'Expected the header "Authorization: Bearer <key>", but the request has none.',
      );
    }
    this.#byHeader.delete(authorization);
    const key = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    if (!key) {
      throw new CloudEasyMLError(
        'key_invalid',
        'Expected the header "Authorization: Bearer <key>", but it has another form.',
      );
    }
    const keyId = keyIdOf(key);
    // An admin key from the settings may have any form.
    const record = (keyId && this.#store.find(keyId)) || this.#store.find(bootstrapKeyId);
    if (!record || !keyMatches(key, record.hash)) {
      throw new CloudEasyMLError('key_invalid', 'The API key is unknown or was revoked.');
    }
    if (record.expiresAt !== null && record.expiresAt <= this.#now()) {
      this.#byKeyId.delete(record.keyId);
      const when = new Date(record.expiresAt).toISOString();
      throw new CloudEasyMLError('key_invalid', `The API key expired at ${when}.`);
    }
    return this.#remember(authorization, record);
  }

  #remember(authorization: string, record: KeyRecord): Principal {
    let principal = this.#byKeyId.get(record.keyId);
    if (!principal) {
      principal = new Principal(record, this.userIndexOf(record.userId));
      this.#byKeyId.set(record.keyId, principal);
    }
    if (this.#byHeader.size >= cachedHeaders) {
      const oldest = this.#byHeader.keys().next();
      if (!oldest.done) this.#byHeader.delete(oldest.value);
    }
    this.#byHeader.set(authorization, principal);
    return principal;
  }

  #forget(keyId: string): void {
    const principal = this.#byKeyId.get(keyId);
    if (!principal) return;
    principal.expiresAt = 0;
    this.#byKeyId.delete(keyId);
    for (const [header, cached] of this.#byHeader) {
      if (cached === principal) this.#byHeader.delete(header);
    }
  }
}
