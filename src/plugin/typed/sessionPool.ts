import { InferenceSession } from '../../engine/session.js';
import type { SessionOptions } from '../../engine/sessionOptions.js';
import type { Sessions } from './definition.js';

/** The sessions that a plugin's `load()` opened. */
export class SessionPool implements Sessions {
  readonly #defaults: SessionOptions;
  readonly #open: InferenceSession[] = [];

  /** @param defaults the `serving:` block's */
  constructor(defaults: SessionOptions) {
    this.#defaults = defaults;
  }

  async create(
    model: string | Uint8Array,
    options: SessionOptions = {},
  ): Promise<InferenceSession> {
    const session = await InferenceSession.create(model, { ...this.#defaults, ...options });
    this.#open.push(session);
    return session;
  }

  release(): void {
    for (const session of this.#open.splice(0)) session.release();
  }
}
