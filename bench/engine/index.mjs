import { benchCalls } from './callBench.mjs';
import { benchSharing } from './sharingBench.mjs';
import { benchTypes } from './typeBench.mjs';

/**
 * Everything that is measured without a server.
 *
 * @param {import('../plans.mjs').EnginePlan} plan
 * @param {string} folder for models and programs
 * @param {(line: string) => void} progress
 */
export async function benchEngine(plan, folder, progress) {
  return {
    calls: await benchCalls(plan.calls, folder, progress),
    types: await benchTypes(plan.types, folder, progress),
    sharing: await benchSharing(plan.sharing, folder, progress),
  };
}
