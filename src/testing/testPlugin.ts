import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type {
  BaseModel,
  PartialPredictionOutput,
  PredictionContext,
  PredictionInput,
  PredictionOutput,
  StreamContext,
  TrainingResult,
} from '../plugin/baseModel.js';
import { streamedAnswer, wholeAnswer } from '../worker/answers.js';

/** A plugin's class, as `definePlugin` makes it or as it was written. */
type ModelClass = new (config: Record<string, unknown>) => BaseModel;

export interface TestOptions {
  /** What `config.yaml` and a deployment would set. */
  config?: Record<string, unknown>;
}

/** A loaded plugin without a server. Answers are what a client would get, parsed. */
export interface TestedPlugin {
  readonly model: BaseModel;
  /** @throws what the plugin throws; an InputError is what a client gets as a 422 */
  predict(data: unknown, options?: Record<string, unknown>): Promise<PredictionOutput>;
  /** Answers requests as one batch, as the server does: an Error in the place of each that fails. */
  predictBatch(
    requests: readonly { data: unknown; options?: Record<string, unknown> }[],
  ): Promise<(PredictionOutput | Error)[]>;
  /** Opens a stream, sends it the inputs, and collects its outputs. */
  stream(
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    options?: Record<string, unknown>,
  ): Promise<Omit<PredictionOutput, 'processingTimeMs'>[]>;
  /** Trains into a folder of the test's own, where a later `load()` of this plugin finds the model. */
  train(trainingData?: unknown, config?: Record<string, unknown>): Promise<TrainingResult>;
  /** Unloads the plugin and removes what it saved. */
  close(): Promise<void>;
}

/**
 * Loads a plugin for a test. What it saves goes to a temporary folder.
 *
 * @example
 * const plugin = await testPlugin(definition);
 * expect((await plugin.predict('A wonderful film')).predictions).toEqual(…);
 * await plugin.close();
 */
export async function testPlugin(
  modelClass: ModelClass,
  { config = {} }: TestOptions = {},
): Promise<TestedPlugin> {
  const dataBefore = process.env.CLOUDEASYML_DATA;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'cloudeasyml-plugin-'));
  process.env.CLOUDEASYML_DATA = folder;
  const close = async () => {
    if (dataBefore === undefined) delete process.env.CLOUDEASYML_DATA;
    else process.env.CLOUDEASYML_DATA = dataBefore;
    await rm(folder, { recursive: true, force: true });
  };
  const model = new modelClass(config);
  try {
    await model.load();
    model.isLoaded = true;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    model,
    predict: (data, options = {}) => predictOne(model, { data, options }),
    predictBatch: (requests) =>
      predictBatch(
        model,
        requests.map(({ data, options = {} }) => ({ data, options })),
      ),
    stream: (inputs, options = {}) => streamAll(model, inputs, options),
    train: async (trainingData, settings = {}) => model.train(trainingData, settings),
    close: async () => {
      await model.unload();
      await close();
    },
  };
}

/** A request that nobody cancels. */
function context(model: BaseModel): PredictionContext {
  const { signal } = new AbortController();
  const deadline = Number.POSITIVE_INFINITY;
  return { signal, deadline, requestId: 'test', logger: model.logger };
}

async function predictOne(model: BaseModel, input: PredictionInput): Promise<PredictionOutput> {
  const started = performance.now();
  return answered(await model.predict(input, context(model)), started);
}

async function predictBatch(
  model: BaseModel,
  inputs: PredictionInput[],
): Promise<(PredictionOutput | Error)[]> {
  const alone = (input: PredictionInput) => predictOne(model, input).catch((error: Error) => error);
  const eachAlone = () => Promise.all(inputs.map(alone));
  if (!model.predictBatch) return eachAlone();
  const started = performance.now();
  let outputs: (PartialPredictionOutput | Error)[];
  try {
    outputs = await model.predictBatch(
      inputs,
      inputs.map(() => context(model)),
    );
  } catch {
    // As the server does: one bad input must not fail the others.
    return eachAlone();
  }
  return outputs.map((output) => (output instanceof Error ? output : answered(output, started)));
}

function answered(output: PartialPredictionOutput, started: number): PredictionOutput {
  const { answer } = wholeAnswer(output, performance.now() - started, false);
  return JSON.parse(answer as string) as PredictionOutput;
}

async function streamAll(
  model: BaseModel,
  inputs: Iterable<unknown> | AsyncIterable<unknown>,
  options: Record<string, unknown>,
): Promise<PredictionOutput[]> {
  if (!model.stream) throw new Error('The plugin has no stream().');
  async function* each(): AsyncGenerator<PredictionInput> {
    for await (const data of inputs) yield { data, options };
  }
  const streamContext: StreamContext = { ...context(model), options };
  const outputs: PredictionOutput[] = [];
  for await (const output of model.stream(each(), streamContext)) {
    outputs.push(JSON.parse(streamedAnswer(output, false) as string) as PredictionOutput);
  }
  return outputs;
}
