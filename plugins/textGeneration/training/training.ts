import { setImmediate as turn } from 'node:timers/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { InputError, reportProgress, type SessionOptions } from 'cloudeasyml';
import { z } from 'zod';
import { Random } from '../random.js';
import { type TokenizerJson, trainBytePairs } from './bytePairs.js';
import { splitCorpus } from './corpus.js';
import { initialParameters, type NetworkShape } from './network.js';
import { Evaluation, type Parameters, TrainingStep, type Windows } from './trainingStep.js';

/** Settings of a training. */
export const trainingSchema = z
  .strictObject({
    seed: z.int().default(42),
    steps: z.int().min(1).default(20_000),
    /** Windows of text per step. */
    batchSize: z.int().min(1).default(4),
    /** At its highest, after the warm-up. */
    learningRate: z.number().positive().max(1).default(0.003),
    layers: z.int().min(1).default(4),
    width: z.int().min(2).default(160),
    heads: z.int().min(1).default(4),
    contextLength: z.int().min(2).default(256),
    /** Tokens, at most; a small text has fewer. */
    vocabularySize: z.int().min(257).default(1024),
  })
  .refine(({ width, heads }) => width % heads === 0, {
    path: ['width'],
    error: 'expected a multiple of heads',
  });

export type TrainingOptions = z.output<typeof trainingSchema>;

export interface TrainedModel {
  shape: NetworkShape;
  parameters: Parameters;
  tokenizer: TokenizerJson;
  metrics: Record<string, number>;
}

const warmUpSteps = 200;
/** What is left of the learning rate at the end. */
const lastShare = 0.05;
/** How often the validation loss is measured, and on how many batches. */
const validations = 20;
const validationBatches = 8;
/** The loss that is reported is an average over about so many steps. */
const lossWindow = 50;

/**
 * Trains a tokenizer and a network on texts.
 *
 * @throws InputError on `trainingData` where there is too little text
 */
export async function trainModel(
  texts: readonly string[],
  options: TrainingOptions,
  sessionOptions: SessionOptions,
): Promise<TrainedModel> {
  const { steps, batchSize, learningRate, layers, width, heads, contextLength } = options;
  const report = (step: number, message: string, metrics?: Record<string, number>) =>
    reportProgress({ step, total: steps, message, metrics });

  report(0, 'learning the tokens');
  const json = trainBytePairs(texts, options.vocabularySize);
  const tokenizer = new Tokenizer(json, {});
  report(0, 'encoding the text');
  const { training, validation } = splitCorpus(texts, tokenizer);
  if (Math.min(training.length, validation.length) < contextLength) {
    throw new InputError(
      'trainingData',
      `expected text of at least ${20 * contextLength} tokens, for windows of contextLength = ${contextLength}, but received ${training.length + validation.length}`,
    );
  }
  const random = new Random(options.seed);
  const vocabularySize = tokenizer.get_vocab(true).size;
  const shape: NetworkShape = { layers, width, heads, contextLength, vocabularySize };
  const start = initialParameters(shape, random);
  const held = Array.from({ length: validationBatches }, () =>
    validation.draw(batchSize, contextLength, random),
  );

  const evaluation = await Evaluation.create(shape, batchSize, sessionOptions);
  const step = await TrainingStep.create(shape, batchSize, start, sessionOptions);
  try {
    const validate = () => meanLoss(evaluation, step.parameters, held);
    const between = Math.ceil(steps / validations);
    let loss = Number.NaN;
    let validationLoss = validate();
    for (let done = 0; done < steps; ) {
      const windows = training.draw(batchSize, contextLength, random);
      const latest = step.run(windows, learningRate * rateShare(done, steps));
      if (!Number.isFinite(latest)) {
        throw new Error('The loss is no number any more: try a lower learningRate.');
      }
      done++;
      loss = done === 1 ? latest : loss + (latest - loss) / Math.min(done, lossWindow);
      if (done % between === 0 || done === steps) validationLoss = validate();
      report(done, `step ${done} of ${steps}`, { loss, validationLoss });
      // Messages to this thread, such as one that stops it, need a turn.
      await turn();
    }
    return {
      shape,
      parameters: step.parameters,
      tokenizer: json,
      metrics: {
        loss,
        validationLoss,
        perplexity: Math.exp(validationLoss),
        trainingTokens: training.length,
        validationTokens: validation.length,
        parameters: [...start.values()].reduce((sum, { size }) => sum + size, 0),
        steps,
      },
    };
  } finally {
    evaluation.release();
    step.release();
  }
}

/** Linear warm-up, then a half cosine down to a rest. */
function rateShare(done: number, steps: number): number {
  const warmUp = Math.min(warmUpSteps, Math.ceil(steps / 10));
  if (done < warmUp) return (done + 1) / warmUp;
  const progress = (done - warmUp) / Math.max(1, steps - warmUp);
  return lastShare + ((1 - lastShare) * (1 + Math.cos(Math.PI * progress))) / 2;
}

function meanLoss(evaluation: Evaluation, parameters: Parameters, held: readonly Windows[]) {
  const losses = held.map((windows) => evaluation.loss(parameters, windows));
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
