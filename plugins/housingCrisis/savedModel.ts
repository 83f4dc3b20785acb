import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { TrainedEnsemble } from './training.js';

const quantilesSchema = z.array(z.number()).min(2);
const detailsSchema = z.object({
  /** SHA-256 of model.onnx: the two files belong together. */
  sha256: z.string(),
  metrics: z.record(z.string(), z.number()),
  market: z.object({ price: quantilesSchema, crime: quantilesSchema, hardship: quantilesSchema }),
});

/** How long to wait for a training that is writing its second file. */
const retryDelayMs = 100;
const retries = 20;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function isSavedIn(folder: string): boolean {
  return existsSync(path.join(folder, 'model.json'));
}

/** Writes model.onnx and model.json; other workers may be reading them meanwhile. */
export async function saveEnsemble(folder: string, trained: TrainedEnsemble): Promise<void> {
  const { model, metrics, market } = trained;
  const details = { sha256: sha256(model), metrics, market };
  await mkdir(folder, { recursive: true });
  await replaceFile(path.join(folder, 'model.onnx'), model);
  await replaceFile(path.join(folder, 'model.json'), `${JSON.stringify(details, null, 2)}\n`);
}

async function replaceFile(file: string, content: Uint8Array | string): Promise<void> {
  const draft = `${file}.${randomUUID()}.draft`;
  await writeFile(draft, content);
  await rename(draft, file);
}

/** @throws Error where the folder's files do not belong together */
export async function readEnsemble(folder: string): Promise<TrainedEnsemble> {
  for (let attempt = 0; attempt < retries; attempt++) {
    const model = await readFile(path.join(folder, 'model.onnx'));
    const details = detailsSchema.parse(
      JSON.parse(await readFile(path.join(folder, 'model.json'), 'utf8')),
    );
    if (details.sha256 === sha256(model)) return { model, ...details };
    await wait(retryDelayMs);
  }
  throw new Error(
    `The model.onnx in ${folder} is not the one that its model.json describes: train it again, or delete both to go back to the model that comes with the plugin.`,
  );
}
