import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const savedSchema = z.object({
  season: z.int().min(1),
  /** Of the window's observations, oldest first: their weighted sum is the next observation. */
  coefficients: z.array(z.number()).min(2),
  /** Quantiles of the absolute errors one step ahead, in units of a history's scale. */
  errorQuantiles: z.array(z.number()).min(2),
  metrics: z.record(z.string(), z.number()),
});

/** A trained model. */
export type SavedModel = z.output<typeof savedSchema>;

function fileIn(folder: string): string {
  return path.join(folder, 'model.json');
}

export function isSavedIn(folder: string): boolean {
  return existsSync(fileIn(folder));
}

/** Writes model.json; workers may be reading the one that was there before. */
export async function saveModel(folder: string, model: SavedModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = `${fileIn(folder)}.${randomUUID()}.draft`;
  await writeFile(draft, `${JSON.stringify(model, null, 2)}\n`);
  await rename(draft, fileIn(folder));
}

/** @throws Error where the file is not a model that was saved here */
export async function readModel(folder: string): Promise<SavedModel> {
  try {
    return savedSchema.parse(JSON.parse(await readFile(fileIn(folder), 'utf8')));
  } catch (cause) {
    throw new Error(
      `${fileIn(folder)} is not a trained model: train it again, or delete it to go back to the model that comes with the plugin.`,
      { cause },
    );
  }
}
