import { BatchAxis } from '../generated/constants.js';
import { addon } from './addon.js';
import type { Batching } from './batching.js';
import type { InferenceSession } from './session.js';

/** A model without code, ready to be served. */
export interface InspectedModel {
  readonly batching: Batching;
  /** What the engine's other native parts know it by. It keeps the session open. */
  readonly handle: object;
}

export interface ModelOptions {
  /** What every answer carries. */
  metadata: Record<string, unknown>;
  batchAxis: keyof typeof BatchAxis;
  /** Rows that one run holds at most; 0 for a model that does not batch. */
  maxBatchSize: number;
  /** Class names of the only output that they fit, or by output. */
  labels?: readonly string[] | Readonly<Record<string, readonly string[]>>;
}

/**
 * Decides how requests become runs of a model: by its shapes, and by a few runs on made-up rows, which go
 * on off the calling thread.
 *
 * @throws CloudEasyMLError model_load_failed where no answer can carry the model's types, or its shapes are
 *   not what `batchAxis` says; invalid_input where labels fit no output
 */
export function inspectModel(
  session: InferenceSession,
  { metadata, batchAxis, maxBatchSize, labels = {} }: ModelOptions,
): Promise<InspectedModel> {
  const byOutput = Array.isArray(labels) ? { '': labels as readonly string[] } : labels;
  return new Promise((resolve, reject) => {
    addon.inspectModel(
      session.handle,
      {
        metadata: JSON.stringify(metadata),
        batchAxis: BatchAxis[batchAxis],
        maxBatchSize,
        labels: Object.entries(byOutput as Record<string, readonly string[]>),
      },
      (error, inspected) => (error ? reject(error) : resolve(inspected)),
    );
  });
}
