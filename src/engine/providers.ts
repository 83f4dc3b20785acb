import { addon } from './addon.js';
import type { ExecutionProviderOptions, SessionOptions } from './sessionOptions.js';

/** Lists of providers to try one after the other, the best first. */
export type Candidates = readonly (readonly (string | ExecutionProviderOptions)[])[];

/** What 'auto' looks for, best first. TensorRT leaves to CUDA the nodes that it has no kernel for. */
const accelerators = [['tensorrt', 'cuda'], ['cuda']];

/** The lists that a session's options allow: one, unless they say 'auto'. */
export function providerCandidates(wanted: SessionOptions['executionProviders']): Candidates {
  if (wanted !== 'auto') return [wanted ?? []];
  const known = addon.runtimeInfo().executionProviders;
  return [...accelerators.filter(([first]) => known.includes(first!)), []];
}
