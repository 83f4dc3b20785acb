/** What plugins and scripts import: `import { BaseModel, InferenceSession, Tensor } from 'cloudeasyml'`. */

export * from './engine/index.js';
export * from './plugin/baseModel.js';
export { modelDirectory } from './plugin/modelDirectory.js';
export { StepBatcher, type StepBatcherOptions } from './plugin/stepBatcher.js';
export { reportProgress, type TrainingProgress } from './plugin/trainingProgress.js';
