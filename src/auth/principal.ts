import { CloudEasyMLError } from '../errors.js';
import { Owner } from '../generated/constants.js';
import type { KeyRecord } from '../store/keyStore.js';
import type { Permission } from './permissions.js';
import { TokenBucket } from './tokenBucket.js';
import { turnTime } from './turnTime.js';

/** Thrown where a caller has to wait. */
export class RateLimitedError extends CloudEasyMLError {
  /** Whole seconds until the next request passes. */
  readonly retryAfter: number;

  constructor(
    retryAfter: number,
    message = `The API key is over its rate limit; try again in ${retryAfter} s.`,
  ) {
    super('rate_limited', message);
    this.retryAfter = retryAfter;
  }
}

/** Who sends a request. One object per key, shared by all of the key's requests and connections. */
export class Principal {
  readonly keyId: string;
  readonly userId: string;
  /** The user as a small number, dense and stable while the process lives, for native code. */
  readonly userIndex: number;
  /** Who the engine's requests are of: the user, with `Owner.any` for an admin. */
  readonly caller: number;
  readonly canPredict: boolean;
  readonly canDeploy: boolean;
  readonly canReadUsage: boolean;
  readonly canManageKeys: boolean;
  readonly isAdmin: boolean;
  /** Requests per minute; Infinity for no limit. */
  readonly rateLimit: number;
  readonly limiter: TokenBucket;
  /**
   * Milliseconds since 1970, Infinity for never. Revoking the key sets it to 0, so a holder
   * that keeps a principal for longer than one request, a WebSocket, notices both with one comparison.
   */
  expiresAt: number;
  /** WebSockets that are open with the key. */
  sockets = 0;
  /** Those of them that take large frames. */
  wideSockets = 0;

  constructor(key: KeyRecord, userIndex: number) {
    const has = (permission: Permission) =>
      key.permissions.includes(permission) || key.permissions.includes('admin');
    this.keyId = key.keyId;
    this.userId = key.userId;
    this.userIndex = userIndex;
    this.canPredict = has('predict');
    this.canDeploy = has('deploy');
    this.canReadUsage = has('usage');
    this.canManageKeys = has('keys');
    this.isAdmin = has('admin');
    this.caller = this.isAdmin ? userIndex | Owner.any : userIndex;
    this.rateLimit = key.rateLimit ?? Infinity;
    this.limiter = new TokenBucket(this.rateLimit);
    this.expiresAt = key.expiresAt ?? Infinity;
  }

  /**
   * Lets one request pass.
   *
   * @throws RateLimitedError; CloudEasyMLError `forbidden` where the key lacks the permission
   */
  admit(permission: Permission | 'anyKey'): void {
    const wait = this.limiter.take(turnTime());
    if (wait > 0) throw new RateLimitedError(wait);
    if (permission !== 'anyKey' && !this.may(permission)) {
      throw new CloudEasyMLError('forbidden', `The API key lacks the permission "${permission}".`);
    }
  }

  may(permission: Permission): boolean {
    switch (permission) {
      case 'predict':
        return this.canPredict;
      case 'deploy':
        return this.canDeploy;
      case 'usage':
        return this.canReadUsage;
      case 'keys':
        return this.canManageKeys;
      case 'admin':
        return this.isAdmin;
    }
  }
}
