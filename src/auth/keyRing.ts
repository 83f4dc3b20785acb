import type { Logger } from 'pino';
import { CloudEasyMLError } from '../errors.js';
import type { KeyRecord, KeyStore } from '../store/keyStore.js';
import { bootstrapKeyId, hashKey, keyIdOf, keyMatches, makeKey } from './apiKey.js';
import { defaultPermissions, type Permission, permissions } from './permissions.js';
import type { Principal } from './principal.js';
import { Principals } from './principals.js';
import { Revocations } from './revocations.js';
import { type Caller, WrongKeys } from './wrongKeys.js';

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

/**
 * The API keys: makes, lists and revokes them, and tells who is behind a request's. All of them are in
 * memory, so that an unknown key costs no query.
 */
export class KeyRing {
  readonly #store: KeyStore;
  readonly #now: () => number;
  readonly #records: Map<string, KeyRecord>;
  readonly #principals: Principals;
  readonly #wrongKeys: WrongKeys;
  readonly #revocations: Revocations;
  readonly #userIndexes = new Map<string, number>();

  /**
   * @param store no other process may write to it
   * @param now milliseconds since 1970
   */
  constructor(store: KeyStore, logger: Logger, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
    this.#records = new Map(store.list().map((record) => [record.keyId, record]));
    this.#principals = new Principals(now);
    this.#wrongKeys = new WrongKeys(logger, now);
    this.#revocations = new Revocations(store, logger);
  }

  /**
   * Sees to it that there is a bootstrap key, with every permission.
   *
   * @param adminKey the key that the settings give; it replaces the stored one
   * @returns the key where one was made, to be shown once; else undefined
   */
  bootstrap(adminKey: string | undefined): string | undefined {
    const stored = this.#records.get(bootstrapKeyId);
    if (adminKey === undefined ? stored : stored && keyMatches(adminKey, stored.hash)) {
      return undefined;
    }
    const key = adminKey ?? makeKey(bootstrapKeyId).key;
    this.#add({
      keyId: bootstrapKeyId,
      userId: 'admin',
      name: 'bootstrap',
      hash: hashKey(key),
      permissions: [...permissions],
      rateLimit: null,
      createdAt: this.#now(),
      expiresAt: null,
    });
    this.#principals.end(bootstrapKeyId);
    return adminKey === undefined ? key : undefined;
  }

  /**
   * Who sends a request with this `Authorization` header ('' where it has none).
   *
   * @param caller slows down an address that sends wrong keys; without one nothing does
   * @throws CloudEasyMLError `key_missing`, or `key_invalid` for one that is unknown, revoked or expired;
   *   WrongKeysError for an unknown one where its address has to wait
   */
  authenticate(authorization: string, caller?: Caller): Principal {
    return this.#principals.find(authorization) ?? this.#lookUp(authorization, caller);
  }

  /** Has a function called when a key that was in use is revoked or expires. */
  onEnded(listener: (principal: Principal) => void): void {
    this.#principals.onEnded(listener);
  }

  /**
   * Makes a key, within what its maker may give away.
   *
   * @returns the key, which is stored nowhere and can't be shown again, and its record
   * @throws CloudEasyMLError `forbidden` for more than the maker has, `storage_failed`
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
    this.#add(record);
    return { key, record };
  }

  /** The keys of the caller's user, oldest first; an admin sees everyone's. */
  list(caller: Principal): KeyRecord[] {
    return [...this.#records.values()].filter(
      ({ userId }) => caller.isAdmin || userId === caller.userId,
    );
  }

  /**
   * Removes a key. It is refused from the next request on, whether that can be stored or not.
   *
   * @throws CloudEasyMLError `key_not_found` where there is none, or it is another user's;
   *   `forbidden` for one that may do what the caller may not; `storage_failed` where it would be valid
   *   again after a restart
   */
  revoke(caller: Principal, keyId: string): void {
    const record = this.#records.get(keyId) ?? this.#revocations.find(keyId);
    if (!record || (record.userId !== caller.userId && !caller.isAdmin)) {
      throw new CloudEasyMLError('key_not_found', `There is no API key with the id "${keyId}".`);
    }
    const excess = record.permissions.find((permission) => !caller.may(permission));
    if (excess) {
      throw new CloudEasyMLError(
        'forbidden',
        `The API key ${keyId} may "${excess}"; only a key that may do so too can remove it.`,
      );
    }
    this.#records.delete(keyId);
    this.#principals.end(keyId);
    this.#revocations.store(record);
  }

  /** Stores what could not be stored so far. To be called before the store is closed. */
  close(): void {
    this.#revocations.close();
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

  #add(record: KeyRecord): void {
    this.#store.put(record);
    this.#records.set(record.keyId, record);
  }

  #lookUp(authorization: string, caller: Caller | undefined): Principal {
    if (authorization === '') {
      throw new CloudEasyMLError(
        'key_missing',
        'Expected the header "Authorization: Bearer <key>", but the request has none.',
      );
    }
    const key = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    const keyId = key && keyIdOf(key);
    let record = keyId ? this.#records.get(keyId) : undefined;
    if (!record) {
      // Only a key with a known id has a secret that can't be guessed: an admin's of the settings may be short.
      this.#wrongKeys.check(caller);
      record = this.#records.get(bootstrapKeyId);
    }
    if (!key || !record || !keyMatches(key, record.hash)) {
      this.#wrongKeys.check(caller);
      this.#wrongKeys.failed(caller);
      throw new CloudEasyMLError(
        'key_invalid',
        key
          ? 'The API key is unknown or was revoked.'
          : 'Expected the header "Authorization: Bearer <key>", but it has another form.',
      );
    }
    if (record.expiresAt !== null && record.expiresAt <= this.#now()) {
      this.#principals.end(record.keyId);
      const when = new Date(record.expiresAt).toISOString();
      throw new CloudEasyMLError('key_invalid', `The API key expired at ${when}.`);
    }
    return this.#principals.add(authorization, record, this.userIndexOf(record.userId));
  }
}
