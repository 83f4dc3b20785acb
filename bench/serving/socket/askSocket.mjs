import WebSocket from 'ws';
import { tensorRows } from './payloads.mjs';

const timeoutMs = 30_000;

/**
 * What came back for one frame.
 *
 * @typedef {object} SocketAnswer
 * @property {unknown[]} outputs predictions of a stream's outputs
 * @property {any} predictions of a request; rows of numbers where its answer is binary
 */

/**
 * Sends one frame over a WebSocket of its own, by another program than the generator's, and waits for its
 * end.
 *
 * @param {import('./runSocketLoad.mjs').SocketTarget} target
 * @returns {Promise<SocketAnswer>}
 * @throws Error where the answer is an error, or none
 */
export async function askSocket({ url, apiKey, payload }) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/predict`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  /** @type {unknown[]} */
  const outputs = [];
  try {
    return await new Promise((resolve, reject) => {
      socket.once('open', () => socket.send(payload.bytes, { binary: payload.isBinary }));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('The server closed the connection.')));
      setTimeout(reject, timeoutMs, new Error(`No answer came in ${timeoutMs} ms.`)).unref();
      socket.on('message', (message, isBinary) => {
        const bytes = /** @type {Buffer} */ (message);
        if (isBinary) {
          resolve({ outputs, predictions: tensorRows(bytes) });
          return;
        }
        const frame = JSON.parse(bytes.toString());
        if (frame.error) reject(new Error(`The server answered ${JSON.stringify(frame.error)}`));
        else if (frame.done) resolve({ outputs, predictions: frame.predictions });
        else outputs.push(frame.predictions);
      });
    });
  } finally {
    socket.terminate();
  }
}
