import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { elementTypes, sampleData, writeTensorFile } from '../models/tensorFile.mjs';
import { figuresOf, timeRound } from './callBench.mjs';

/**
 * @typedef {import('../models/tensorFile.mjs').ElementType} ElementType
 * @typedef {'small' | 'large'} Size
 *
 * @typedef {{ type: ElementType, size: Size, elements: number } &
 *   import('./callBench.mjs').CaseFigures} TypeResult
 */

const smallElements = 4;
const largeBytes = 128 * 1024;
const largeStrings = 1000;

/** @type {(type: ElementType, size: Size) => number} */
function elementsOf(type, size) {
  if (size === 'small') return smallElements;
  const [first] = [sampleData(type, 1)];
  return Array.isArray(first) ? largeStrings : largeBytes / first.BYTES_PER_ELEMENT;
}

/**
 * Times an identity over small and over large tensors of each element type: what a call costs apart from
 * the model.
 *
 * @param {import('../plans.mjs').EnginePlan['types']} plan
 * @param {string} folder for the models
 * @param {(line: string) => void} progress
 * @returns {Promise<TypeResult[]>}
 */
export async function benchTypes({ types, rounds, secondsPerCase }, folder, progress) {
  const chosen = elementTypes.filter((type) => !types || types.includes(type));
  const named = chosen.flatMap((type) =>
    /** @type {const} */ (['small', 'large']).map((size) => ({
      type,
      size,
      elements: elementsOf(type, size),
    })),
  );
  const cases = named.map((each) => ({
    ...writeIdentity(each, path.join(folder, 'types')),
    seconds: secondsPerCase,
  }));
  /** @type {import('./callBench.mjs').RoundTimes[][]} */
  const measured = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`engine, element types, round ${round} of ${rounds}`);
    measured.push(await timeRound(cases, folder));
  }
  return named.flatMap((each, index) =>
    figuresOf(measured.flatMap((round) => round[index] ?? [])).map((figures) => ({
      ...each,
      ...figures,
    })),
  );
}

/** @type {(shape: { type: ElementType, size: Size, elements: number }, folder: string) =>
 *   Omit<import('./callBench.mjs').EngineCase, 'seconds'>} */
function writeIdentity({ type, size, elements }, folder) {
  mkdirSync(folder, { recursive: true });
  const name = `${type}-${size}`;
  const graph = new GraphBuilder(name);
  const value = graph.input('input', type, [1, elements]);
  graph.node('Identity', [value], { outputs: ['output'] });
  graph.output('output', type, [1, elements]);
  const model = path.join(folder, `${name}.onnx`);
  const input = path.join(folder, `${name}.input`);
  writeFileSync(model, graph.toModel());
  writeTensorFile(input, sampleData(type, elements));
  const dims = [1, elements];
  return { model, type, dims, outputDims: dims, input, expected: input };
}
