import type { CloudEasyMLError } from '../errors.js';
import type { BatchWorker } from './batchWorker.js';
import type { NativeFrontEnd } from './frontEnd.js';
import type { InspectedModel } from './inspectedModel.js';

/** How a model is served, as the addon reads it. */
export interface NativeModelOptions {
  /** JSON that every answer carries. */
  metadata: string;
  batchAxis: number;
  maxBatchSize: number;
  /** By output; '' stands for the only one that they fit. */
  labels: [output: string, labels: readonly string[]][];
}

/** The addon's functions for serving. */
export interface ServingAddon {
  inspectModel(
    session: object,
    options: NativeModelOptions,
    callback: (error: CloudEasyMLError | null, inspected: InspectedModel) => void,
  ): void;
  addDeployment(
    owner: number,
    /** In the order of BatchLimit. */
    limits: number[],
    /** What `inspectModel` gave; undefined for a plugin with code. */
    model: object | undefined,
  ): number;
  /** @returns the endpoint's number */
  routeEndpoint(id: string, deployments: number[], weights: number[]): number;
  removeEndpoint(id: string): void;
  setAccepting(handle: number, accepting: boolean): void;
  isIdle(handle: number): boolean;
  removeDeployment(handle: number): void;
  limitMemory(maxHeldBytes: number, answerLimit: number): void;
  overdueWorkers(graceMs: number): number[];
  createWorker(onWork: () => void): BatchWorker;
  createFrontEnd(
    onCompletions: () => void,
    records: Int32Array,
    outbox: Uint8Array,
    scanned: Int32Array,
  ): NativeFrontEnd;
}
