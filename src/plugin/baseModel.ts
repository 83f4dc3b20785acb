import type { SessionOptions } from '../engine/index.js';

/**
 * The contract between the server and a plugin.
 *
 * A plugin's `index.ts` exports one class that extends {@link BaseModel}. The server makes one
 * instance of it per worker thread and deployment, calls `load()` once, then `predictBatch()` or
 * `predict()` for each batch of requests, and `unload()` when the deployment goes.
 */

/** What `GET /models` shows of a model. */
export interface ModelMetadata {
  /** The name that `POST /deployments` takes; the plugin folder's name by convention. */
  name: string;
  /** Semantic version, "major.minor.patch". */
  version: string;
  description: string;
  author: string;
  /** ISO 8601; the server fills in the plugin folder's date where it is left out. */
  createdAt: string;
  tags: string[];
  /** npm packages that the plugin needs, as "name" or "name@range"; checked when it is discovered. */
  requirements: string[];
  gpuRequired: boolean;
  minMemoryGb: number;
  /** In the currency of your choice; `GET /usage` adds it up per answered request. */
  estimatedCostPerRequest: number;
}

/** What a plugin may leave to the server to fill in. */
export type PartialModelMetadata = Pick<ModelMetadata, 'name' | 'version'> & Partial<ModelMetadata>;

/** One request, as its client sent it. */
export interface PredictionInput {
  /**
   * The request's `data`: any JSON value. Of a body of bytes, a `Uint8Array`; of a form, an object of its
   * parts: fields as strings, files as `Uint8Array`s.
   */
  data: unknown;
  /** The request's `options`, `{}` where it sent none. */
  options: Record<string, unknown>;
  /** The body's media type where it is not JSON: `image/png`, `multipart/form-data`. */
  contentType?: string;
}

/** One request's answer. */
export interface PredictionOutput {
  /** Any JSON value; typed arrays and `Tensor`s become (nested) arrays of numbers. */
  predictions: unknown;
  metadata: Record<string, unknown>;
  /** Milliseconds that the prediction took, as the plugin measured them. */
  processingTimeMs: number;
}

/** What a plugin may leave to the server to fill in: no metadata, and the time that the call took. */
export type PartialPredictionOutput = Pick<PredictionOutput, 'predictions'> &
  Partial<PredictionOutput>;

/** What `train()` answers with. */
export interface TrainingResult {
  /** "trained", or a sentence on why there was nothing to train. */
  status: string;
  metrics?: Record<string, number>;
  /** Where the model was saved. */
  savedTo?: string;
  [detail: string]: unknown;
}

export interface HealthStatus {
  healthy: boolean;
  /** Why it is not healthy. */
  detail?: string;
}

/** Writes lines to the server's log, with the deployment and the model's name. */
export interface PluginLogger {
  info(message: string, details?: Record<string, unknown>): void;
  warn(message: string, details?: Record<string, unknown>): void;
  error(message: string, details?: Record<string, unknown>): void;
}

/** What a plugin's code knows of the request that it serves. */
export interface PredictionContext {
  /** Aborted when the client cancels or goes, or the deadline passes. */
  readonly signal: AbortSignal;
  /**
   * When the request runs out of time, in milliseconds since 1970. Of a stream, when its present step does;
   * infinite while it waits for its client.
   */
  readonly deadline: number;
  /** The `x-request-id` of its HTTP client, as logs have it; '' where there is none, and over WebSocket. */
  readonly requestId: string;
  readonly logger: PluginLogger;
}

/** What a stream's plugin code knows of the stream that it serves. */
export interface StreamContext extends PredictionContext {
  /** The options of the request that opened the stream. */
  readonly options: Record<string, unknown>;
}

type MaybePromise<T> = T | Promise<T>;

/**
 * A plugin's class.
 *
 * @typeParam Config the shape of its `config.yaml`, without the `serving:` block.
 */
export abstract class BaseModel<Config extends object = Record<string, unknown>> {
  /** `config.yaml`, overridden by the deployment's `config`. */
  readonly config: Config;
  /**
   * The `serving:` block's execution providers and session settings, set before `load()`: what to make
   * this model's `InferenceSession`s with. `{}` outside the server.
   */
  sessionOptions: SessionOptions = {};
  /** Writes to the server's log; outside the server to standard error. */
  logger: PluginLogger = console;
  /** Set by `load()`; the server never calls `predict()` before. */
  isLoaded = false;

  constructor(config: Config) {
    this.config = config;
  }

  /** Describes the model. Called on an instance that is not loaded: it must be cheap. */
  abstract getMetadata(): PartialModelMetadata;

  /** Loads the model. What it throws becomes the answer to `POST /deployments`. */
  abstract load(): MaybePromise<void>;

  /**
   * Answers one request. The server always gives a context; a plugin's tests may leave it out.
   *
   * @throws anything; an {@link InputError} is the client's fault (422), the rest the plugin's (500).
   */
  abstract predict(
    input: PredictionInput,
    context?: PredictionContext,
  ): MaybePromise<PartialPredictionOutput>;

  /**
   * Trains the model and saves it under `modelDirectory(name)`, where the next `load()` finds it.
   *
   * @param trainingData whatever the caller sent; undefined asks for the plugin's own data
   * @param config the caller's settings for this training
   */
  abstract train(
    trainingData: unknown,
    config: Record<string, unknown>,
  ): MaybePromise<TrainingResult>;

  /**
   * Answers a whole batch in one go: one output per input, in the same order. An `Error` in the place of
   * an output fails that request alone. Where it throws, the server falls back to `predict()` for each
   * input.
   */
  predictBatch?(
    inputs: PredictionInput[],
    contexts?: readonly PredictionContext[],
  ): MaybePromise<(PartialPredictionOutput | Error)[]>;

  /** Turns a stream of inputs into a stream of outputs. */
  stream?(
    inputs: AsyncIterable<PredictionInput>,
    context: StreamContext,
  ): AsyncIterable<PartialPredictionOutput>;

  /** Frees what `load()` took. */
  unload(): MaybePromise<void> {
    this.isLoaded = false;
  }

  healthCheck(): HealthStatus {
    return this.isLoaded
      ? { healthy: true }
      : { healthy: false, detail: 'The model is not loaded.' };
  }
}

/**
 * Thrown by a plugin for a request that its client can mend: the answer is a 422 with the path.
 *
 * @example throw new InputError('data[2]', 'expected a string but received a number')
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** Where in the request the fault is: `data`, `data[2]`, `options.topK`. */
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}
