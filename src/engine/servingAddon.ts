import type { BatchWorker } from './batchWorker.js';
import type { NativeFrontEnd } from './frontEnd.js';

/** The addon's functions for serving. */
export interface ServingAddon {
  addDeployment(
    deploymentId: string,
    owner: number,
    /** In the order of BatchLimit. */
    limits: number[],
    session: object | undefined,
    metadata: string,
  ): number;
  setAccepting(handle: number, accepting: boolean): void;
  isIdle(handle: number): boolean;
  removeDeployment(handle: number): void;
  retireStalled(graceMs: number): number[];
  createWorker(onWork: () => void): BatchWorker;
  createFrontEnd(
    onCompletions: () => void,
    maxBytes: number,
    records: Int32Array,
    outbox: Uint8Array,
    scanned: Int32Array,
  ): NativeFrontEnd;
}
