import { expect, test } from 'vitest';
import { importPlugin } from './importPlugin.js';

type Sampling = typeof import('../../plugins/textGeneration/sampling.js');
const { sampleToken } = await importPlugin<Sampling>('plugins/textGeneration/sampling.ts');
type RandomModule = typeof import('../../plugins/textGeneration/random.js');
const { Random } = await importPlugin<RandomModule>('plugins/textGeneration/random.ts');

const all = { temperature: 1, topK: Number.MAX_SAFE_INTEGER, topP: 1 };
/** Of a half, a quarter, an eighth …, in no order. */
const shares = [1 / 8, 1 / 2, 1 / 32, 1 / 4, 1 / 16, 1 / 32];
const logits = Float32Array.from(shares, Math.log);

/** How often each token is drawn, as a share. */
function frequencies(own: Float32Array, options: typeof all, draws = 40_000): number[] {
  const random = new Random(11);
  const counts = new Array<number>(own.length).fill(0);
  for (let draw = 0; draw < draws; draw++) counts[sampleToken(own, options, random)]!++;
  return counts.map((count) => count / draws);
}

function expectShares(actual: number[], expected: number[]) {
  const sum = expected.reduce((total, share) => total + share, 0);
  expected.forEach((share, id) => {
    expect(actual[id], `token ${id}`).toBeCloseTo(share / sum, share === 0 ? 10 : 1.8);
  });
}

test('draws tokens as often as they are likely', () => {
  expectShares(frequencies(logits, all), shares);
});

test('sharpens below temperature 1 and flattens above', () => {
  const powers = (power: number) => shares.map((share) => share ** power);
  expectShares(frequencies(logits, { ...all, temperature: 0.5 }), powers(2));
  expectShares(frequencies(logits, { ...all, temperature: 2 }), powers(0.5));
});

test('takes the likeliest at temperature 0, of equals the first', () => {
  const take = (values: number[]) =>
    sampleToken(Float32Array.from(values), { ...all, temperature: 0 }, new Random(1));
  expect(take([1, 3, 2])).toBe(1);
  expect(take([-5, -2, -2, -9])).toBe(1);
  expect(take([Number.NaN, 1, 2])).toBe(2);
  expect(() => take([Number.NaN, Number.NaN])).toThrow('no logits that are numbers');
});

test('draws from the topK likeliest only', () => {
  expectShares(frequencies(logits, { ...all, topK: 3 }), [1 / 8, 1 / 2, 0, 1 / 4, 0, 0]);
  expectShares(frequencies(logits, { ...all, topK: 1 }), [0, 1, 0, 0, 0, 0]);
  // Of the two that are equally unlikely the first one is in.
  expectShares(frequencies(logits, { ...all, topK: 5 }), shares.with(5, 0));
});

test('draws from the topK likeliest where those are many, too', () => {
  // As likely as each other but for the first, which are out of the question.
  const many = Float32Array.from({ length: 1000 }, (_, id) => (id < 400 ? -1 : 0));
  const drawn = frequencies(many, { ...all, topK: 500 }, 4000);
  const found = drawn.flatMap((share, id) => (share > 0 ? [id] : []));
  expect(Math.min(...found)).toBeGreaterThanOrEqual(400);
  expect(Math.max(...found)).toBeLessThan(900);
});

test('draws from the fewest that together have topP', () => {
  expectShares(frequencies(logits, { ...all, topP: 0.5 }), [0, 1, 0, 0, 0, 0]);
  expectShares(frequencies(logits, { ...all, topP: 0.6 }), [0, 1 / 2, 0, 1 / 4, 0, 0]);
  expectShares(frequencies(logits, { ...all, topP: 0.9 }), [1 / 8, 1 / 2, 0, 1 / 4, 1 / 16, 0]);
  expectShares(frequencies(logits, { ...all, topP: 1e-9 }), [0, 1, 0, 0, 0, 0]);
});

test('applies temperature first, then topK, then topP', () => {
  // Of the three likeliest, 4/7, 2/7 and 1/7, the first two have 6/7.
  expectShares(frequencies(logits, { ...all, topK: 3, topP: 0.85 }), [0, 1 / 2, 0, 1 / 4, 0, 0]);
  // At temperature 2 the likeliest has some 0.33 of all.
  const flat = frequencies(logits, { temperature: 2, topK: 6, topP: 0.4 });
  expectShares(flat, [0, Math.sqrt(1 / 2), 0, Math.sqrt(1 / 4), 0, 0]);
});

test('never draws what is impossible, nor does it overflow', () => {
  const extreme = Float32Array.of(Number.NEGATIVE_INFINITY, 3e38, -3e38, 3e38);
  expectShares(frequencies(extreme, all), [0, 0.5, 0, 0.5]);
  expectShares(frequencies(extreme, { ...all, topK: 3, topP: 0.99 }), [0, 0.5, 0, 0.5]);
  expectShares(frequencies(extreme, { ...all, temperature: 1e-30 }), [0, 0.5, 0, 0.5]);
});

test('draws the same from the same seed', () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => sampleToken(logits, all, random));
  };
  expect(draw(4)).toEqual(draw(4));
  expect(draw(4)).not.toEqual(draw(5));
});

test('picks the same of a large vocabulary as sorting all of it does', () => {
  const random = new Random(2);
  const large = Float32Array.from({ length: 5000 }, () => Math.fround(4 * random.normal()));
  const ids = [...large.keys()].sort((a, b) => large[b]! - large[a]! || a - b);
  const possible = new Set(ids.slice(0, 40));
  for (let draw = 0; draw < 500; draw++) {
    expect(possible).toContain(sampleToken(large, { ...all, topK: 40 }, random));
  }
  const weights = ids.map((id) => Math.exp(large[id]! - large[ids[0]!]!));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let size = 0;
  for (let gathered = 0; gathered < 0.7 * total; size++) gathered += weights[size]!;
  const nucleus = new Set(ids.slice(0, size));
  for (let draw = 0; draw < 500; draw++) {
    expect(nucleus).toContain(sampleToken(large, { ...all, topP: 0.7 }, random));
  }
});
