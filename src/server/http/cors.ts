/** Which pages of other origins may call the server. Off where no origin is configured. */
export class CorsPolicy {
  readonly #origins: ReadonlySet<string>;

  /** @param origins such as `https://app.example.com`; `*` for every one */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  get enabled(): boolean {
    return this.#origins.size > 0;
  }

  /** The headers of an answer to a page of this origin ('' where the request names none). */
  headersFor(origin: string): Record<string, string> {
    if (!this.enabled) return {};
    const every = this.#origins.has('*');
    const allowed = origin !== '' && (every || this.#origins.has(origin));
    return {
      ...(!every && { vary: 'origin' }),
      ...(allowed && {
        'access-control-allow-origin': every ? '*' : origin,
        'access-control-expose-headers': 'x-request-id, retry-after',
      }),
    };
  }

  /** The headers that answer a page's question before its request. */
  preflightHeaders(methods: readonly string[]): Record<string, string> {
    return {
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers':
        'authorization, content-type, accept, x-request-id, x-priority, x-timeout-ms',
      'access-control-max-age': '600',
    };
  }
}
