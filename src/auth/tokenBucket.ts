const minuteMs = 60_000;
/** Absorbs what adding up fractions of milliseconds rounds off. */
const toleranceMs = 0.001;

/**
 * A rate limit as a token bucket: it holds one minute's requests, so a burst of that many passes, and
 * refills evenly. All of its state is the time when it will be full again (the generic cell rate
 * algorithm of ATM networks), which each request moves on.
 */
export class TokenBucket {
  readonly #intervalMs: number;
  #fullAt = 0;

  /** @param perMinute requests per minute; Infinity for no limit */
  constructor(perMinute: number) {
    this.#intervalMs = minuteMs / perMinute;
  }

  /** Takes one request's token: 0 where there was one, else whole seconds until there will be. */
  take(nowMs: number): number {
    // A clock that was set back must not lock the key out: at worst its bucket is empty.
    this.#fullAt = Math.min(Math.max(this.#fullAt, nowMs), nowMs + minuteMs);
    const excessMs = this.#fullAt + this.#intervalMs - nowMs - minuteMs;
    if (excessMs > toleranceMs) return Math.max(1, Math.ceil(excessMs / 1000));
    this.#fullAt += this.#intervalMs;
    return 0;
  }
}
