/** Writes ONNX models: `import { GraphBuilder } from 'cloudeasyml/onnx'`. */
export type { Attribute } from './attribute.js';
export { GraphBuilder, type ModelOptions, type NodeOptions } from './graphBuilder.js';
export type { Dimension, ElementType, ExternalData, TensorContent } from './tensor.js';
export { type RegressionTree, treeEnsembleRegressor } from './treeEnsemble.js';
export type { MapKey, ValueType } from './valueType.js';
