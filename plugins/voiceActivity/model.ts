import {
  BaseModel,
  type PartialModelMetadata,
  type PartialPredictionOutput,
  type PredictionContext,
  type PredictionInput,
  type StreamContext,
  type TrainingResult,
} from 'cloudeasyml';
import { type Recording, readRecording, StreamReader } from './audioInput.js';
import {
  readOptions,
  type SpeechOptions,
  type VoiceActivityConfig,
  validateConfig,
} from './settings.js';
import { SileroNetwork } from './silero.js';
import { type Detection, SpeechDetector } from './speechDetector.js';

export type { Detection } from './speechDetector.js';

/** Speech in a recording, in seconds from its beginning. */
export interface SpeechSegment {
  start: number;
  end: number;
}

/** Tells where in an audio somebody speaks, with the Silero networks. */
export class VoiceActivityModel extends BaseModel<VoiceActivityConfig> {
  #network: SileroNetwork | undefined;
  #settings: VoiceActivityConfig | undefined;

  getMetadata(): PartialModelMetadata {
    return {
      name: 'voiceActivity',
      version: '1.0.0',
      description:
        'Tells where in an audio somebody speaks, also while it is recorded (Silero VAD)',
      author: 'CloudEasyML',
      tags: ['audio', 'speech', 'streaming'],
      requirements: ['@ricky0123/vad-web@^0.0.31', 'zod@^4.0.0'],
      gpuRequired: false,
      minMemoryGb: 0.1,
      estimatedCostPerRequest: 0.0005,
    };
  }

  async load(): Promise<void> {
    this.#settings = validateConfig(this.config);
    const { model, maxFramesPerRun } = this.#settings;
    this.#network = await SileroNetwork.open(model, maxFramesPerRun, this.sessionOptions);
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

  override predictBatch(
    inputs: PredictionInput[],
    contexts?: readonly PredictionContext[],
  ): Promise<(PartialPredictionOutput | Error)[]> {
    const settings = this.#configured();
    const requests = inputs.map(({ data, options }) => ({
      recording: readRecording(data, settings.maxSeconds),
      options: readOptions(options, settings.options, 'recording'),
    }));
    // Side by side, so that the network takes a frame of each in one run.
    const answered = requests.map(async ({ recording, options }, request) => ({
      predictions: await this.#segments(recording, options, contexts?.[request]?.signal),
      metadata: {
        modelName: `silero-vad-${settings.model}`,
        sampleRate: recording.sampleRate,
        duration: recording.duration,
      },
    }));
    return Promise.all(answered.map((answer) => answer.catch((error: Error) => error)));
  }

  override async *stream(
    inputs: AsyncIterable<PredictionInput>,
    context: StreamContext,
  ): AsyncGenerator<{ predictions: Detection }> {
    const options = readOptions(context.options, this.#configured().options, 'stream');
    const reader = new StreamReader();
    let detector: SpeechDetector | undefined;
    for await (const { data } of inputs) {
      const { samples, sampleRate } = reader.read(data);
      detector ??= new SpeechDetector(this.#loaded(), sampleRate, options);
      for await (const predictions of detector.push(samples)) yield { predictions };
    }
    if (!detector) return;
    for await (const predictions of detector.finish()) yield { predictions };
  }

  train(): TrainingResult {
    return { status: 'The model is pre-trained; there is nothing to train.' };
  }

  override unload(): void {
    this.#network?.release();
    this.#network = undefined;
    super.unload();
  }

  async #segments(
    recording: Recording,
    options: SpeechOptions,
    signal: AbortSignal | undefined,
  ): Promise<SpeechSegment[]> {
    const detector = new SpeechDetector(this.#loaded(), recording.sampleRate, options);
    const segments: SpeechSegment[] = [];
    const collect = (detection: Detection) => {
      signal?.throwIfAborted();
      if (!('event' in detection)) return;
      // The padding of an end may reach beyond the recording's own.
      const time = Math.min(detection.time, recording.duration);
      if (detection.event === 'start') segments.push({ start: time, end: recording.duration });
      else segments.at(-1)!.end = time;
    };
    for (const samples of recording.pieces) {
      for await (const detection of detector.push(samples)) collect(detection);
    }
    for await (const detection of detector.finish()) collect(detection);
    return segments;
  }

  #configured(): VoiceActivityConfig {
    if (!this.#settings) throw new Error('The model is not loaded: call load() first.');
    return this.#settings;
  }

  #loaded(): SileroNetwork {
    if (!this.#network) throw new Error('The model is not loaded: call load() first.');
    return this.#network;
  }
}
