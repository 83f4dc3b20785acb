import type { Logger } from 'pino';
import { RateLimitedError } from './principal.js';

/** Wrong keys that an address may send before it must wait. */
const freeAttempts = 20;
const longestWaitMs = 60_000;
/** An address that sent no wrong key for so long starts anew. */
const forgetMs = 600_000;
/** Addresses that are kept; the one that failed longest ago makes room. */
const maxAddresses = 4096;

/** Where a request comes from. Reading the address costs, so it is read only when a key is not known. */
export interface Caller {
  readonly address: string;
}

interface Attempts {
  failures: number;
  failedAt: number;
  /** Until then the address's unknown keys are refused unread. */
  waitsUntil: number;
}

/** Thrown for an unknown key from an address that has sent too many wrong ones. */
export class WrongKeysError extends RateLimitedError {
  constructor(retryAfter: number) {
    super(
      retryAfter,
      `Too many wrong API keys came from this address; an unknown key is looked at again in ${retryAfter} s.`,
    );
  }
}

/**
 * Slows down those who guess keys: after some wrong ones each further one makes the address wait, one
 * second at first, then twice as long each time, up to a minute.
 */
export class WrongKeys {
  readonly #logger: Logger;
  readonly #now: () => number;
  /** By network, the one that failed longest ago first. */
  readonly #attempts = new Map<string, Attempts>();

  constructor(logger: Logger, now: () => number) {
    this.#logger = logger;
    this.#now = now;
  }

  /**
   * Lets an unknown key through to be looked at.
   *
   * @throws WrongKeysError while its address must wait
   */
  check(caller: Caller | undefined): void {
    if (!caller) return;
    const attempts = this.#attempts.get(networkOf(caller.address));
    if (!attempts) return;
    const waitMs = attempts.waitsUntil - this.#now();
    // A clock that was set back must not lock an address out for longer.
    if (waitMs > 0 && waitMs <= longestWaitMs) throw new WrongKeysError(Math.ceil(waitMs / 1000));
  }

  /** Counts a wrong key. */
  failed(caller: Caller | undefined): void {
    if (!caller) return;
    const network = networkOf(caller.address);
    const attempts = this.#entryOf(network);
    const now = this.#now();
    attempts.failures++;
    attempts.failedAt = now;
    const excess = attempts.failures - freeAttempts;
    if (excess < 0) return;
    const waitMs = Math.min(longestWaitMs, 1000 * 2 ** excess);
    attempts.waitsUntil = now + waitMs;
    this.#logger.warn(
      { address: caller.address, failures: attempts.failures, waitSeconds: waitMs / 1000 },
      'too many wrong API keys; unknown keys from this address have to wait',
    );
  }

  #entryOf(network: string): Attempts {
    const known = this.#attempts.get(network);
    this.#attempts.delete(network);
    if (!known && this.#attempts.size >= maxAddresses) {
      const oldest = this.#attempts.keys().next();
      if (!oldest.done) this.#attempts.delete(oldest.value);
    }
    const entry =
      known && known.failedAt + forgetMs > this.#now()
        ? known
        : { failures: 0, failedAt: 0, waitsUntil: 0 };
    this.#attempts.set(network, entry);
    return entry;
  }
}

/** One holder has a whole IPv6 network of 64 bits, so that counts as one address. */
function networkOf(address: string): string {
  const groups = address.split(':');
  const isMapped = groups[5]?.toLowerCase() === 'ffff';
  return groups.length === 8 && !isMapped ? groups.slice(0, 4).join(':') : address;
}
