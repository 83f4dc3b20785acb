import { InputError } from 'cloudeasyml';
import { z } from 'zod';

const probability = z.number().min(0).max(1);
const milliseconds = z.number().min(0);

const optionsSchema = z.strictObject({
  threshold: probability.optional(),
  negThreshold: probability.optional(),
  minSpeechDurationMs: milliseconds.optional(),
  minSilenceDurationMs: milliseconds.optional(),
  speechPadMs: milliseconds.optional(),
});

const configSchema = z.strictObject({
  model: z.enum(['v5', 'v6']),
  maxFramesPerRun: z.number().int().positive(),
  maxSeconds: z.number().positive().default(3600),
  options: optionsSchema.default({}),
});

/** The plugin's settings; `config.yaml` says what each is for. */
export type VoiceActivityConfig = z.infer<typeof configSchema>;

/** How probabilities become speech; README.md says what each is for. */
export interface SpeechOptions {
  /** Probability, 0 to 1. */
  threshold: number;
  /** Probability, 0 to `threshold`. */
  negThreshold: number;
  minSpeechDurationMs: number;
  minSilenceDurationMs: number;
  speechPadMs: number;
}

/**
 * The defaults of Silero's own utilities. The one for recordings drops speech that is too short; the
 * one for streams tells of speech as soon as it begins.
 */
const defaults = {
  threshold: 0.5,
  minSpeechDurationMs: { recording: 250, stream: 0 },
  minSilenceDurationMs: 100,
  speechPadMs: 30,
};

/** @throws InputError naming the first setting that is missing, unknown or out of range */
export function validateConfig(config: unknown): VoiceActivityConfig {
  const valid = parse(configSchema, config, 'config');
  complete(valid.options, 'stream', 'config.options');
  return valid;
}

/**
 * Checks a request's options and fills in what it left out: from the configuration, then the defaults.
 *
 * @throws InputError naming the first option that is unknown or out of range
 */
export function readOptions(
  options: Record<string, unknown>,
  configured: VoiceActivityConfig['options'],
  of: 'recording' | 'stream',
): SpeechOptions {
  const given = parse(optionsSchema, options, 'options');
  // A negThreshold that was configured belongs to the threshold that was.
  const { negThreshold, ...others } = configured;
  const base = given.threshold === undefined ? configured : others;
  return complete({ ...base, ...given }, of, 'options');
}

function complete(
  options: VoiceActivityConfig['options'],
  of: 'recording' | 'stream',
  path: string,
): SpeechOptions {
  const { threshold = defaults.threshold } = options;
  const { negThreshold = Math.max(threshold - 0.15, Math.min(threshold, 0.01)) } = options;
  if (negThreshold > threshold) {
    throw new InputError(
      `${path}.negThreshold`,
      `Expected a number from 0 to the threshold (${threshold}) but received ${negThreshold}.`,
    );
  }
  const minSpeechDurationMs = defaults.minSpeechDurationMs[of];
  return { ...defaults, minSpeechDurationMs, ...options, threshold, negThreshold };
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  settings: unknown,
  name: string,
): z.output<Schema> {
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = [name, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    throw new InputError([...path, issue.keys[0]].join('.'), 'There is no such setting.');
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => Reflect.get(Object(inner), key),
    settings,
  );
  throw new InputError(path.join('.'), `${issue.message}; received ${JSON.stringify(value)}`);
}
