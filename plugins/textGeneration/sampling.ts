import type { Random } from './random.js';

export interface SamplingOptions {
  /** Divides the logits: below 1 the likely tokens become likelier. 0 takes the likeliest. */
  temperature: number;
  /** Only so many of the likeliest tokens are drawn from. */
  topK: number;
  /** Only the fewest of the likeliest tokens that together have this probability are drawn from. */
  topP: number;
}

/**
 * Draws the next token: by temperature, then topK (Fan, Lewis and Dauphin 2018), then topP (Holtzman
 * et al. 2020), as Hugging Face has them. Of equals the lower id comes first.
 *
 * @param logits one for each token of the vocabulary
 * @returns the token's id
 */
export function sampleToken(
  logits: Float32Array,
  { temperature, topK, topP }: SamplingOptions,
  random: Random,
): number {
  const best = likeliest(logits);
  if (temperature === 0 || topK === 1) return best;
  const weights = logits.map((logit) => Math.exp((logit - logits[best]!) / temperature));
  let ids: ArrayLike<number> & Iterable<number> = Uint32Array.from(weights.keys());
  if (topK < weights.length) ids = largest(weights, topK);
  if (topP < 1) ids = nucleus(weights, ids, topP);

  let left = random.next() * sum(weights, ids);
  let drawn = best;
  for (const id of ids) {
    if (weights[id] === 0) continue;
    drawn = id;
    left -= weights[id]!;
    if (left < 0) break;
  }
  return drawn;
}

function likeliest(logits: Float32Array): number {
  let best = -1;
  for (let id = 0; id < logits.length; id++) {
    if (best === -1 ? !Number.isNaN(logits[id]!) : logits[id]! > logits[best]!) best = id;
  }
  if (best === -1) throw new Error('The model gave no logits that are numbers.');
  return best;
}

/** Inserting into a longer list takes longer than to sort all. */
const longestInserted = 256;

/** @returns the ids of the `count` largest weights, the largest first */
function largest(weights: Float32Array, count: number): number[] {
  if (count > longestInserted) {
    const all = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b);
    return all.slice(0, count);
  }
  const ids: number[] = [];
  for (let id = 0; id < weights.length; id++) {
    // Few get past this, so that it is much faster than sorting all.
    if (ids.length === count && weights[id]! <= weights[ids[count - 1]!]!) continue;
    let at = ids.length;
    while (at > 0 && weights[id]! > weights[ids[at - 1]!]!) at--;
    ids.splice(at, 0, id);
    if (ids.length > count) ids.pop();
  }
  return ids;
}

function nucleus(weights: Float32Array, ids: Iterable<number> & ArrayLike<number>, share: number) {
  const total = sum(weights, ids);
  // All that are smaller than this together have less than 1 - share: they need not be sorted.
  const least = ((1 - share) * total) / ids.length;
  const sorted = Array.from(ids)
    .filter((id) => weights[id]! >= least)
    .sort((a, b) => weights[b]! - weights[a]! || a - b);
  let kept = 0;
  let gathered = 0;
  while (kept < sorted.length && gathered < share * total) gathered += weights[sorted[kept++]!]!;
  return sorted.slice(0, Math.max(1, kept));
}

function sum(weights: Float32Array, ids: Iterable<number>): number {
  let total = 0;
  for (const id of ids) total += weights[id]!;
  return total;
}
