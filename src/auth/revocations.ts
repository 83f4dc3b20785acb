import type { Logger } from 'pino';
import type { KeyRecord, KeyStore } from '../store/keyStore.js';

const retryMs = 1000;

/** Stores that keys were removed, and keeps trying where that fails. */
export class Revocations {
  readonly #store: KeyStore;
  readonly #logger: Logger;
  readonly #unstored = new Map<string, KeyRecord>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: KeyStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** A key that was removed while that can't be stored. */
  find(keyId: string): KeyRecord | undefined {
    return this.#unstored.get(keyId);
  }

  /** @throws CloudEasyMLError `storage_failed`; then it is tried again each second */
  store(key: KeyRecord): void {
    this.#unstored.set(key.keyId, key);
    this.#timer ??= setInterval(() => this.#storeAll(), retryMs).unref();
    this.#remove(key.keyId);
  }

  /** Tries a last time. */
  close(): void {
    this.#storeAll();
    clearInterval(this.#timer);
    for (const keyId of this.#unstored.keys()) {
      this.#logger.error({ keyId }, 'an API key that was removed will be valid again');
    }
  }

  #storeAll(): void {
    for (const keyId of this.#unstored.keys()) {
      try {
        this.#remove(keyId);
        this.#logger.info({ keyId }, 'the removal of an API key is stored now');
      } catch {
        // The store has logged why, and the others would fail alike.
        return;
      }
    }
  }

  #remove(keyId: string): void {
    this.#store.remove(keyId);
    this.#unstored.delete(keyId);
    if (this.#unstored.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
