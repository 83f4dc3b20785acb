export type { AsyncRunOptions } from './asyncRun.js';
export type { TensorData, TensorDataOf, TensorType } from './elementTypes.js';
export { DeviceTensor, IoBinding, type OutputLocation } from './ioBinding.js';
export type { Feeds, RequestedOutputs } from './runner.js';
export {
  configureRuntime,
  type RuntimeInfo,
  type RuntimeOptions,
  runtimeInfo,
  stopRuns,
} from './runtime.js';
export { InferenceSession } from './session.js';
export type { ExecutionProviderOptions, SessionOptions } from './sessionOptions.js';
export { Tensor } from './tensor.js';
export type { ValueInfo } from './valueInfo.js';
