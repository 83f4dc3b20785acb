// Trains the model that comes with the textGeneration plugin, by the code that its train() runs.
// Takes about half an hour of one core; `node scripts/trainTextGeneration.mjs 100` does 100 steps.
import { rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';

const folder = fileURLToPath(new URL('../plugins/textGeneration/', import.meta.url));
const jiti = createJiti(import.meta.url);
const { onProgress } = await jiti.import('../dist/plugin/trainingProgress.js');
const { stateOfTheUnion } = await jiti.import(`${folder}training/stateOfTheUnion.ts`);
const { trainModel, trainingSchema } = await jiti.import(`${folder}training/training.ts`);
const { exportedFiles } = await jiti.import(`${folder}training/servedModel.ts`);

const steps = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
const output = path.join(folder, 'pretrained');
onProgress(({ step, message, metrics }) => {
  if (step % 200 === 0) console.log(new Date().toISOString(), message, metrics ?? '');
});
const options = trainingSchema.parse({ steps });
const trained = await trainModel(stateOfTheUnion(), options, { intraOpThreads: 1 });
const files = await exportedFiles(trained);
rmSync(output, { recursive: true, force: true });
await mkdir(output);
for (const [file, content] of files) await writeFile(path.join(output, file), content);
console.table(trained.metrics);
console.log(`saved to ${output}`);
