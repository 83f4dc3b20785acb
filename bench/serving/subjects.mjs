import { expectSame } from '../answers.mjs';
import { sampleRows } from '../models/index.mjs';
import { peers } from '../peers/index.mjs';
import { startCloudeasyml } from './cloudeasyml.mjs';

/**
 * A server under test, on one model.
 *
 * @typedef {object} Subject
 * @property {string} name
 * @property {string} title
 * @property {(rows: number[][]) => import('./loadGenerator.mjs').LoadRequest} request
 * @property {() => Promise<void>} prove throws where its answers are not the model's
 * @property {(sent: number) => Promise<void>} settle checks its accounts after `sent` answered requests
 * @property {() => Promise<void>} stop
 *
 * @typedef {import('../models/index.mjs').BenchModel} BenchModel
 */

const accountingTimeoutMs = 5000;

/**
 * Every request is the same to the byte but for its id and key, which have the same lengths everywhere.
 *
 * @param {string} url
 * @param {string} deploymentId
 * @param {string} apiKey
 * @returns {Subject['request']}
 */
function requestTo(url, deploymentId, apiKey) {
  return (rows) => ({
    url: `${url}/predict`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ deploymentId, data: rows }),
  });
}

/**
 * Starts this package's server and every peer on the same model file.
 *
 * @param {BenchModel} model
 * @param {string} modelFile
 * @param {string} folder for the server's data
 * @returns {Promise<Subject[]>} this package's first
 */
export async function startSubjects(model, modelFile, folder) {
  const server = await startCloudeasyml({ name: model.name, modelFile, folder });
  const { deploymentId, apiKey } = server;
  const request = requestTo(server.url, deploymentId, apiKey);
  /** @type {Subject[]} */
  const subjects = [
    {
      name: 'cloudeasyml',
      title: 'CloudEasyML',
      request,
      prove: async () => {
        await proveKeysMatter(request(sampleRows(model, 1, 1)));
        await proveAnswers(model, 'CloudEasyML', request);
      },
      settle: (sent) => expectAccounted(server.accounted, sent),
      stop: server.stop,
    },
  ];
  for (const peer of peers) {
    const { url, stop } = await peer.start(modelFile);
    const toPeer = requestTo(url, deploymentId, apiKey);
    const { name, title, echoes } = peer;
    subjects.push({
      name,
      title,
      request: toPeer,
      prove: () => (echoes ? proveEcho(model, title, toPeer) : proveAnswers(model, title, toPeer)),
      settle: async () => {},
      stop,
    });
  }
  return subjects;
}

/** @param {import('./loadGenerator.mjs').LoadRequest} request */
async function post({ url, headers, body }) {
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, answer: /** @type {any} */ (await response.json()) };
}

/**
 * @param {BenchModel} model
 * @param {string} title
 * @param {Subject['request']} request
 */
async function proveAnswers(model, title, request) {
  for (const count of [1, 2, 5]) {
    const rows = sampleRows(model, count, 100 + count);
    const { status, answer } = await post(request(rows));
    if (status !== 200) throw new Error(`${title} answered ${status}: ${JSON.stringify(answer)}`);
    const { predictions } = answer;
    if (predictions?.length !== count) {
      throw new Error(`${title} answered ${predictions?.length} rows where ${count} were sent.`);
    }
    rows.forEach((row, index) => {
      expectSame(predictions[index], model.answer(row), title);
    });
  }
}

/**
 * @param {BenchModel} model
 * @param {string} title
 * @param {Subject['request']} request
 */
async function proveEcho(model, title, request) {
  const sent = request(sampleRows(model, 1, 101));
  const { answer } = await post(sent);
  if (JSON.stringify(answer) !== sent.body) throw new Error(`${title} did not echo the body.`);
}

/** @param {import('./loadGenerator.mjs').LoadRequest} request */
async function proveKeysMatter(request) {
  const { authorization: _, ...headers } = request.headers;
  const { status } = await post({ ...request, headers });
  if (status !== 401) throw new Error(`A request without a key was answered ${status}, not 401.`);
}

/**
 * Requests that were cut off when a load ended may be on the account too, so it is a lower bound.
 *
 * @param {() => Promise<number>} accounted
 * @param {number} sent
 */
async function expectAccounted(accounted, sent) {
  const deadline = Date.now() + accountingTimeoutMs;
  let counted = await accounted();
  while (counted < sent && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    counted = await accounted();
  }
  if (counted < sent) {
    throw new Error(
      `The server accounted for ${counted} requests of the ${sent} that it answered.`,
    );
  }
}
