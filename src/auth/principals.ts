import type { KeyRecord } from '../store/keyStore.js';
import { Principal } from './principal.js';

const maxHeaders = 10_000;
/** A timer's time stands still while the machine sleeps, so a far expiry is looked at in between. */
const longestTimerMs = 60_000;

/** The principals of the keys that are in use. */
export class Principals {
  readonly #now: () => number;
  /** By the whole `Authorization` header, so that a known key costs one look-up and no hashing. */
  readonly #byHeader = new Map<string, Principal>();
  readonly #byKeyId = new Map<string, Principal>();
  readonly #listeners: ((principal: Principal) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the timer will look for expired keys. */
  #timerAt = Infinity;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The principal whose requests have this header; undefined where it is not known or has expired. */
  find(authorization: string): Principal | undefined {
    const known = this.#byHeader.get(authorization);
    return known && (known.expiresAt === Infinity || known.expiresAt > this.#now())
      ? known
      : undefined;
  }

  /** The principal of a key, which this header holds. */
  add(authorization: string, key: KeyRecord, userIndex: number): Principal {
    let principal = this.#byKeyId.get(key.keyId);
    if (!principal) {
      principal = new Principal(key, userIndex);
      this.#byKeyId.set(key.keyId, principal);
      this.#watch(principal.expiresAt);
    }
    if (this.#byHeader.size >= maxHeaders) {
      const oldest = this.#byHeader.keys().next();
      if (!oldest.done) this.#byHeader.delete(oldest.value);
    }
    this.#byHeader.set(authorization, principal);
    return principal;
  }

  /** Has a function called when a key that was in use is revoked or expires. */
  onEnded(listener: (principal: Principal) => void): void {
    this.#listeners.push(listener);
  }

  /** A key has been revoked or has expired. */
  end(keyId: string): void {
    const principal = this.#byKeyId.get(keyId);
    if (!principal) return;
    principal.expiresAt = 0;
    this.#byKeyId.delete(keyId);
    for (const [header, cached] of this.#byHeader) {
      if (cached === principal) this.#byHeader.delete(header);
    }
    for (const listener of this.#listeners) listener(principal);
  }

  #watch(expiresAt: number): void {
    if (expiresAt >= this.#timerAt || expiresAt === Infinity) return;
    clearTimeout(this.#timer);
    const now = this.#now();
    const delay = Math.min(Math.max(expiresAt - now, 1), longestTimerMs);
    this.#timerAt = now + delay;
    this.#timer = setTimeout(() => this.#endExpired(), delay).unref();
  }

  #endExpired(): void {
    this.#timerAt = Infinity;
    const now = this.#now();
    const principals = [...this.#byKeyId.values()];
    for (const { keyId, expiresAt } of principals) if (expiresAt <= now) this.end(keyId);
    this.#watch(Math.min(...[...this.#byKeyId.values()].map(({ expiresAt }) => expiresAt)));
  }
}
