import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import {
  BaseModel,
  InputError,
  modelDirectory,
  type PartialModelMetadata,
  type PartialPredictionOutput,
  type PredictionInput,
  type StreamContext,
  type TrainingResult,
} from 'cloudeasyml';
import { z } from 'zod';
import { isSavedIn, readModel, saveModel } from './savedModel.js';
import { exampleSeries, readHistories, readHistory, readTrainingSeries } from './series.js';
import { type ForecastTask, ServedForecaster } from './servedForecaster.js';
import { trainForecaster, trainingSchema } from './training.js';

const modelName = 'timeSeriesForecast';

/** The model that comes with the plugin, trained on the example series. */
const pretrainedFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pretrained');

/** Beyond this the errors that a model keeps are too few to tell. */
const highestInterval = 0.99;

const settingsSchema = z
  .looseObject({
    horizon: z.int().min(1).default(12),
    maxHorizon: z.int().min(1).max(10_000).default(500),
    maxSeries: z.int().min(1).default(1000),
    // Its values are checked when a training starts, together with the caller's.
    training: z.record(z.string(), z.unknown()).default({}),
  })
  .refine(({ horizon, maxHorizon }) => horizon <= maxHorizon, {
    path: ['horizon'],
    error: 'expected no more than maxHorizon',
  });

/** Forecasts series of numbers by a seasonal autoregression. */
export class TimeSeriesForecastModel extends BaseModel {
  #forecaster: ServedForecaster | undefined;
  #settings = settingsSchema.parse({});

  getMetadata(): PartialModelMetadata {
    return {
      name: modelName,
      version: '1.0.0',
      description:
        'Forecasts series of numbers with trend and season, step by step, by a seasonal autoregression.',
      author: 'CloudEasyML',
      tags: ['forecasting', 'time-series', 'streaming'],
      requirements: ['ml-matrix@^6.12.0', 'vega-datasets@^3.2.0', 'zod@^4.0.0'],
      gpuRequired: false,
      minMemoryGb: 0.1,
      estimatedCostPerRequest: 0.0001,
    };
  }

  /** Takes the model that `train()` saved, or the one that comes with the plugin. */
  async load(): Promise<void> {
    this.#settings = parseSettings(settingsSchema, this.config, 'config');
    const trainedFolder = modelDirectory(modelName);
    const model = await readModel(isSavedIn(trainedFolder) ? trainedFolder : pretrainedFolder);
    this.#forecaster = await ServedForecaster.create(
      model,
      this.#settings.maxHorizon,
      this.sessionOptions,
    );
    this.isLoaded = true;
  }

  predict(input: PredictionInput): PartialPredictionOutput {
    return this.predictBatch([input])[0]!;
  }

  /** Forecasts the series of all requests in one run per step. */
  override predictBatch(inputs: PredictionInput[]): PartialPredictionOutput[] {
    const start = performance.now();
    const forecaster = this.#loaded();
    const requests = inputs.map(({ data, options }) => {
      const { series, single, path } = readHistories(data, this.#settings.maxSeries);
      const asked = this.#readOptions(options);
      const tasks = series.map((history, index) =>
        this.#taskOf(history, single ? path : `${path}[${index}]`, asked),
      );
      return { tasks, single, asked };
    });
    const forecasts = forecaster.forecast(requests.flatMap(({ tasks }) => tasks));

    let next = 0;
    return requests.map(({ tasks, single, asked }) => {
      const own = forecasts.slice(next, next + tasks.length);
      next += tasks.length;
      const shaped = <Value>(valuesOf: (points: (typeof own)[number]) => Value) =>
        single ? valuesOf(own[0]!) : own.map(valuesOf);
      return {
        predictions: shaped((points) => points.map(({ value }) => value)),
        metadata: {
          modelName,
          numSeries: tasks.length,
          horizon: asked.horizon,
          ...forecaster.shape,
          ...(asked.interval !== undefined && {
            interval: asked.interval,
            lower: shaped((points) => points.map(({ lower }) => lower!)),
            upper: shaped((points) => points.map(({ upper }) => upper!)),
          }),
        },
        processingTimeMs: performance.now() - start,
      };
    });
  }

  /**
   * Forecasts one series, an output per step. The first input is its history; each later one brings
   * the observations that have come since, and is forecast from anew.
   */
  override async *stream(
    inputs: AsyncIterable<PredictionInput>,
    { signal, options }: StreamContext,
  ): AsyncGenerator<PartialPredictionOutput> {
    const forecaster = this.#loaded();
    let history: number[] = [];
    let observations = 0;
    for await (const input of inputs) {
      const added = readHistory(input.data);
      observations += added.history.length;
      // A later forecast looks no further back.
      history = [...history, ...added.history].slice(-forecaster.shape.window);
      const asked = this.#readOptions({ ...options, ...input.options });
      let step = 0;
      for (const point of forecaster.steps(this.#taskOf(history, added.path, asked))) {
        if (signal.aborted) return;
        step++;
        yield { predictions: { step, ...point }, metadata: { modelName, observations } };
      }
    }
  }

  /**
   * Fits the model and saves it where the next `load()` finds it.
   *
   * @param trainingData a series of numbers or of `{time, value}`, or either as `{series}`; without
   *   any, the example series
   * @param config over config.yaml's `training`: season, window, horizon
   * @throws InputError on `trainingData…` or `config.…`
   */
  async train(trainingData: unknown, config: Record<string, unknown>): Promise<TrainingResult> {
    const { training } = parseSettings(settingsSchema, this.config, 'config');
    const options = parseSettings(trainingSchema, { ...training, ...config }, 'config');
    const { series, path } =
      trainingData === undefined || trainingData === null
        ? { series: exampleSeries(), path: 'trainingData' }
        : readTrainingSeries(trainingData);
    const trained = trainForecaster(series, options, path);
    const folder = modelDirectory(modelName);
    await saveModel(folder, trained);
    return { status: 'trained', metrics: trained.metrics, savedTo: folder };
  }

  override unload(): void {
    this.#forecaster?.release();
    this.#forecaster = undefined;
    super.unload();
  }

  #loaded(): ServedForecaster {
    if (!this.#forecaster) throw new Error('The model is not loaded.');
    return this.#forecaster;
  }

  #readOptions(options: Record<string, unknown>): Omit<ForecastTask, 'history'> {
    const { horizon: usual, maxHorizon } = this.#settings;
    const { horizon = usual, interval } = options;
    if (!isWithin(horizon, 1, maxHorizon) || !Number.isInteger(horizon)) {
      throw new InputError(
        'options.horizon',
        `expected a whole number from 1 to ${maxHorizon} but received ${JSON.stringify(horizon)}`,
      );
    }
    if (interval !== undefined && !(isWithin(interval, 0, highestInterval) && interval > 0)) {
      throw new InputError(
        'options.interval',
        `expected a probability above 0 and up to ${highestInterval} but received ${JSON.stringify(interval)}`,
      );
    }
    return { horizon, interval };
  }

  #taskOf(history: number[], path: string, asked: Omit<ForecastTask, 'history'>): ForecastTask {
    const { shortestHistory, shape } = this.#loaded();
    if (history.length >= shortestHistory) return { history, ...asked };
    throw new InputError(
      path,
      `expected at least ${shortestHistory} observations, as the model's season is ${shape.season}, but received ${history.length}`,
    );
  }
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

function parseSettings<Schema extends z.ZodType>(schema: Schema, settings: unknown, name: string) {
  const checked = schema.safeParse(settings);
  if (checked.success) return checked.data;
  const { path: where, message } = checked.error.issues[0]!;
  const value = where.reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), settings);
  throw new InputError([name, ...where].join('.'), `${message}; received ${JSON.stringify(value)}`);
}
