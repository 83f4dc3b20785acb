import { addon } from './addon.js';
import type { BatchQueue } from './batchQueue.js';

/** A deployment's share of an endpoint's requests: its weight, relative to the sum of all. */
export interface EndpointShare {
  queue: BatchQueue;
  /** A whole number from 1. */
  weight: number;
}

/** What requests name, and the deployments that serve it. These can be changed without a gap. */
export class Endpoint {
  readonly id: string;
  /** The number by which the engine knows it. */
  readonly number: number;

  constructor(id: string, shares: readonly EndpointShare[]) {
    this.id = id;
    this.number = route(id, shares);
  }

  /** Sends requests to these deployments from now on; requests that wait elsewhere are still served there. */
  shift(shares: readonly EndpointShare[]): void {
    route(this.id, shares);
  }

  /** Removes it: requests that name it are refused. */
  remove(): void {
    addon.removeEndpoint(this.id);
  }
}

function route(id: string, shares: readonly EndpointShare[]): number {
  return addon.routeEndpoint(
    id,
    shares.map(({ queue }) => queue.handle),
    shares.map(({ weight }) => weight),
  );
}
