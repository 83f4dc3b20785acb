/** Models without code that a server which guesses what their batch axis is answers wrongly. */
import type { AwkwardModel } from './awkward/awkwardModel.js';
import { sequences } from './awkward/sequences.js';
import { shapes } from './awkward/shapes.js';
import { values } from './awkward/values.js';
import { wholeOutputs } from './awkward/wholeOutputs.js';

export const awkwardModels: Record<string, AwkwardModel> = {
  ...wholeOutputs,
  ...shapes,
  ...values,
  ...sequences,
};
