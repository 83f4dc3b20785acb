import type { Answer, HttpClient } from '../support/httpClient.js';

/**
 * What a client was told of one key or deployment. `unsure`: its request was cut off, or it was told that
 * a revocation would not outlast a restart.
 */
export type Promised = 'there' | 'gone' | 'unsure';

/** What clients were told, to be compared with what a server has. */
export class Promises {
  /** By id. */
  readonly #told = new Map<string, Promised>();
  /** Requests to make something that were cut off: each may have made one that nobody knows. */
  #lost = 0;
  /** Revoked in memory only. */
  readonly #unstored = new Set<string>();

  tell(id: string, promised: Promised): void {
    this.#told.set(id, promised);
    this.#unstored.delete(id);
  }

  lose(): void {
    this.#lost++;
  }

  /** It is refused from now on, and unsure after a restart. */
  revokedInMemory(id: string): void {
    this.#told.set(id, 'gone');
    this.#unstored.add(id);
  }

  /** The server is not what it was. @param hasStored it had a chance to store what it could not before */
  restarted(hasStored: boolean): void {
    if (!hasStored) for (const id of this.#unstored) this.#told.set(id, 'unsure');
    this.#unstored.clear();
  }

  /** Ids that can be asked for something. */
  get present(): string[] {
    return [...this.#told].filter(([, told]) => told === 'there').map(([id]) => id);
  }

  get known(): [string, Promised][] {
    return [...this.#told];
  }

  /**
   * Compares with the ids that a server has, and takes them over.
   *
   * @returns a sentence for each difference
   */
  compare(found: readonly string[], what: string): string[] {
    const differences: string[] = [];
    const there = new Set(found);
    for (const [id, told] of this.#told) {
      const is = there.has(id) ? 'there' : 'gone';
      if (told !== 'unsure' && told !== is)
        differences.push(`${what} ${id}: told ${told}, is ${is}`);
      this.#told.set(id, is);
    }
    for (const id of found) {
      if (this.#told.has(id)) continue;
      if (this.#lost-- <= 0) differences.push(`${what} ${id}: nobody was told of it`);
      this.#told.set(id, 'there');
    }
    return differences;
  }
}

/** The answer, or undefined where the connection was cut off. */
export function ask(
  client: HttpClient,
  method: string,
  path: string,
  json?: unknown,
): Promise<Answer | undefined> {
  return client.send(method, path, { json }).catch(() => undefined);
}
