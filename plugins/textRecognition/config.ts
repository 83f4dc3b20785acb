import { InputError } from 'cloudeasyml';
import { z } from 'zod';

const probability = z.number().min(0).max(1);
const count = z.number().int().positive();

const schema = z.strictObject({
  image: z.strictObject({ maxImages: count, maxPixels: count }),
  detection: z.strictObject({
    maxLines: count.default(1000),
    maxSideLength: z.number().int().min(32),
    threshold: probability,
    boxThreshold: probability,
    unclipRatio: z.number().min(0),
  }),
  orientation: z.strictObject({ enabled: z.boolean(), threshold: probability }),
  recognition: z.strictObject({ batchWidth: count, minScore: probability }),
});

/** The plugin's settings; `config.yaml` says what each is for. */
export type TextRecognitionConfig = z.infer<typeof schema>;

/** @throws InputError naming the first setting that is missing, unknown or out of range */
export function validateConfig(config: unknown): TextRecognitionConfig {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new InputError(['config', ...issue.path].join('.'), issue.message);
}
