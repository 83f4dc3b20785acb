// Trains the model that comes with the housingCrisis plugin, by the code that its train() runs.
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';

const folder = fileURLToPath(new URL('../plugins/housingCrisis/', import.meta.url));
const jiti = createJiti(import.meta.url);
const { bostonExamples } = await jiti.import(`${folder}features.ts`);
const { trainEnsemble, trainingSchema } = await jiti.import(`${folder}training.ts`);
const { saveEnsemble } = await jiti.import(`${folder}savedModel.ts`);

const trained = trainEnsemble(bostonExamples(), undefined, trainingSchema.parse({}));
await saveEnsemble(`${folder}pretrained`, trained);
console.table(trained.metrics);
console.log(`saved to ${folder}pretrained`);
