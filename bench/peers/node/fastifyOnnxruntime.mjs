// Fastify with onnxruntime-node, each as its documentation has it: schemas for what comes in and what
// goes out, a session with its defaults: `node fastifyOnnxruntime.mjs <model.onnx>`.
import Fastify from 'fastify';
import { InferenceSession } from 'onnxruntime-node';
import { predict } from './predict.mjs';

const session = await InferenceSession.create(process.argv[2] ?? '');
const rows = { type: 'array', items: { type: 'array', items: { type: 'number' } } };
const schema = {
  body: {
    type: 'object',
    required: ['data'],
    properties: { deploymentId: { type: 'string' }, data: rows },
  },
  response: { 200: { type: 'object', properties: { predictions: rows } } },
};

// An image's pixels as JSON take more than the default of 1 MiB.
const app = Fastify({ bodyLimit: 16 * 2 ** 20 });
app.post('/predict', { schema }, async (request) => {
  const { data } = /** @type {{ data: number[][] }} */ (request.body);
  return { predictions: await predict(session, data) };
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`listening on ${url}`);
