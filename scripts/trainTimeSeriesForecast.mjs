// Trains the model that comes with the timeSeriesForecast plugin, by the code that its train() runs.
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';

const folder = fileURLToPath(new URL('../plugins/timeSeriesForecast/', import.meta.url));
const jiti = createJiti(import.meta.url);
const { exampleSeries } = await jiti.import(`${folder}series.ts`);
const { trainForecaster, trainingSchema } = await jiti.import(`${folder}training.ts`);
const { saveModel } = await jiti.import(`${folder}savedModel.ts`);

const trained = trainForecaster(exampleSeries(), trainingSchema.parse({}), 'trainingData');
await saveModel(`${folder}pretrained`, trained);
console.table(trained.metrics);
console.log(`saved to ${folder}pretrained`);
