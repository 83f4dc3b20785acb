import type { z } from 'zod';
import type { InferenceSession } from '../../engine/session.js';
import type { SessionOptions } from '../../engine/sessionOptions.js';
import type {
  PartialModelMetadata,
  PredictionContext,
  StreamContext,
  TrainingResult,
} from '../baseModel.js';

type MaybePromise<T> = T | Promise<T>;

/** Opens models; what it opened is released when the plugin is unloaded. */
export interface Sessions {
  /**
   * @param model a file, or a model's bytes
   * @param options over those of the `serving:` block
   */
  create(model: string | Uint8Array, options?: SessionOptions): Promise<InferenceSession>;
}

/** Writes lines to the server's log, each with the plugin's name. */
export type PluginLogger = PredictionContext['logger'];

/** What `load()` gets. */
export interface LoadContext<Config> {
  config: Config;
  sessions: Sessions;
  log: PluginLogger;
}

/** A request, checked. */
export interface TypedInput<Data, Options> {
  data: Data;
  options: Options;
  /** The body's media type where it is not JSON. */
  contentType?: string;
}

/** One of a request's items; see {@link PluginDefinition.predictItems}. */
export interface TypedItem<Data, Options> {
  data: Data;
  /** Of its request. */
  options: Options;
}

/** Predictions with metadata, where a plugin has any to give. */
export class Answer<Predictions> {
  readonly predictions: Predictions;
  readonly metadata: Record<string, unknown>;

  constructor(predictions: Predictions, metadata: Record<string, unknown>) {
    this.predictions = predictions;
    this.metadata = metadata;
  }
}

/** What `predict()` may return. A Tensor is its rows. */
export type Predicted<Output> = Output | Answer<Output>;

/** What `train()` gets. */
export interface TrainContext<Config> {
  config: Config;
  /** The caller's settings for this training. */
  settings: Record<string, unknown>;
  /** Where the model is to be saved, and where `load()` finds it. */
  directory: string;
  log: PluginLogger;
}

/**
 * A plugin in one declaration: its schemas give its types, check what comes before its code runs, and document
 * it.
 *
 * @typeParam ConfigSchema of `config.yaml`, overridden by the deployment's `config`
 * @typeParam InputSchema of a request's `data`
 * @typeParam OptionsSchema of a request's `options`
 * @typeParam Output what it predicts
 * @typeParam State what `load()` returns
 */
export interface PluginDefinition<
  ConfigSchema extends z.ZodType,
  InputSchema extends z.ZodType,
  OptionsSchema extends z.ZodType,
  Output,
  State,
> extends PartialModelMetadata {
  config?: ConfigSchema;
  input: InputSchema;
  options?: OptionsSchema;
  output?: z.ZodType<Output, unknown>;
  /** Requests to show, and to try in tests. */
  examples?: readonly { data: unknown; options?: Record<string, unknown> }[];
  /**
   * `joined`: the tensors of a batch's requests come as one, along their first axis, and the answer goes back to
   * them by rows.
   */
  batch?: 'joined';
  load(context: LoadContext<z.output<ConfigSchema>>): MaybePromise<State>;
  /** @throws InputError for what the schemas can't tell: the client's fault */
  predict?(
    state: NoInfer<State>,
    input: TypedInput<z.output<InputSchema>, z.output<OptionsSchema>>,
    context: PredictionContext,
  ): MaybePromise<Predicted<Output>>;
  /** Answers a batch: an output or an Error per input, in their order. */
  predictBatch?(
    state: NoInfer<State>,
    inputs: readonly TypedInput<z.output<InputSchema>, z.output<OptionsSchema>>[],
    contexts: readonly PredictionContext[],
  ): MaybePromise<readonly (Predicted<Output> | Error)[]>;
  /**
   * For requests that hold one item or a list of them, each as `input` says: gets the items of all requests of a
   * batch as one list, and returns a result or an Error for each. A request gets its items' results back as it
   * sent them, one or a list.
   */
  predictItems?(
    state: NoInfer<State>,
    items: readonly TypedItem<z.output<InputSchema>, z.output<OptionsSchema>>[],
  ): MaybePromise<readonly (Output | Error)[]>;
  stream?(
    state: NoInfer<State>,
    inputs: AsyncIterable<TypedInput<z.output<InputSchema>, z.output<OptionsSchema>>>,
    context: Omit<StreamContext, 'options'> & { options: z.output<OptionsSchema> },
  ): AsyncIterable<unknown>;
  train?(
    trainingData: unknown,
    context: TrainContext<z.output<ConfigSchema>>,
  ): MaybePromise<TrainingResult>;
  /** Frees what `load()` took beyond sessions. */
  unload?(state: NoInfer<State>): MaybePromise<void>;
}
