import { addon } from './addon.js';
import type { BatchQueue } from './batchQueue.js';

/** A deployment's part of an endpoint's requests: its weight among all weights. */
export interface EndpointShare {
  queue: BatchQueue;
  /** A whole number from 1. */
  weight: number;
}

/** What requests name, and who serves them. A successor takes over in one step, without a gap. */
export class Endpoint {
  readonly id: string;
  /** Its short name between the engine and its callers. */
  readonly number: number;

  constructor(id: string, shares: readonly EndpointShare[]) {
    this.id = id;
    this.number = route(id, shares);
  }

  /** Has requests go to these deployments from now on; what waits elsewhere is still served there. */
  shift(shares: readonly EndpointShare[]): void {
    route(this.id, shares);
  }

  /** Has requests that name it be told that there is no such deployment. */
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
