const minuteMs = 60_000;

/**
 * A rate limit as a token bucket: it holds one minute's requests, so a burst of that many passes, and
 * refills evenly.
 */
export class TokenBucket {
  readonly #perMinute: number;
  #tokens: number;
  #filledAt: number;

  /** @param perMinute requests per minute; Infinity for no limit */
  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#tokens = perMinute;
    this.#filledAt = nowMs;
  }

  /** Takes one request's token: 0 where there was one, else whole seconds until there will be. */
  take(nowMs: number): number {
    if (this.#perMinute === Infinity) return 0;
    const elapsed = Math.max(0, nowMs - this.#filledAt);
    this.#filledAt = nowMs;
    this.#tokens = Math.min(this.#perMinute, this.#tokens + (elapsed * this.#perMinute) / minuteMs);
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil(((1 - this.#tokens) * 60) / this.#perMinute));
  }
}
