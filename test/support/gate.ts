import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

const open = new Set<Gate>();

afterAll(() => {
  for (const gate of open) gate.close();
});

/**
 * An HTTP server that plugins under test call, each call with a name: it tells the test who has come,
 * and keeps them until the test lets them go. So tests can hold a plugin at work without looking at a
 * clock.
 */
export class Gate {
  /** Who has come, in order. */
  readonly arrivals: string[] = [];
  readonly #server: http.Server;
  readonly #held = new Map<string, http.ServerResponse[]>();
  #isOpen: boolean;

  private constructor(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.#server = http.createServer((request, response) => {
      const name = decodeURIComponent(request.url!.slice(1));
      this.arrivals.push(name);
      if (this.#isOpen) response.end(name);
      else this.#held.set(name, [...(this.#held.get(name) ?? []), response]);
    });
    open.add(this);
  }

  /** @param isOpen lets everyone pass at once */
  static start({ isOpen = false } = {}): Promise<Gate> {
    const gate = new Gate(isOpen);
    return new Promise((resolve) => gate.#server.listen(0, '127.0.0.1', () => resolve(gate)));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when `count` have come. */
  async arrived(count: number): Promise<void> {
    while (this.arrivals.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Lets one go. */
  release(name: string): void {
    const [first, ...others] = this.#held.get(name) ?? [];
    if (!first) throw new Error(`Nobody called "${name}" is held.`);
    this.#held.set(name, others);
    first.end(name);
  }

  /** Lets everyone go who is held, and who comes later. */
  openWide(): void {
    this.#isOpen = true;
    for (const responses of this.#held.values()) {
      for (const response of responses) response.end();
    }
    this.#held.clear();
  }

  /** Holds those who come from now on. */
  shut(): void {
    this.#isOpen = false;
  }

  close(): void {
    open.delete(this);
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
