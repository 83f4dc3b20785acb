/** What plugins and scripts import: `import { BaseModel, InferenceSession, Tensor } from 'cloudeasyml'`. */

export * from './engine/index.js';
export * from './plugin/baseModel.js';
export { modelDirectory } from './plugin/modelDirectory.js';
export { StepBatcher, type StepBatcherOptions } from './plugin/stepBatcher.js';
export { reportProgress, type TrainingProgress } from './plugin/trainingProgress.js';
export type { DefinedPlugin } from './plugin/typed/definedModel.js';
export { definePlugin } from './plugin/typed/definePlugin.js';
export { Answer, type PluginDefinition } from './plugin/typed/definition.js';
export { type TensorSchema, tensor } from './plugin/typed/tensorSchema.js';
