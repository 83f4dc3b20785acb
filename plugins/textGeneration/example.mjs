// Goes on with what you type, in the terminal, token by token over a WebSocket. Each line is added to the
// same text; an empty one lets the model go on by itself. Ctrl-D ends, Ctrl-C breaks off.
//
//   node plugins/textGeneration/example.mjs <API key> <deployment id> [options as JSON] [ws://localhost:8000/predict]
//
// The key, the id and the URL may come as CLOUDEASYML_KEY, CLOUDEASYML_DEPLOYMENT and CLOUDEASYML_URL, too.

import { on, once } from 'node:events';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const { env } = process;
const [
  key = env.CLOUDEASYML_KEY,
  deploymentId = env.CLOUDEASYML_DEPLOYMENT,
  options = '{}',
  url = env.CLOUDEASYML_URL ?? 'ws://localhost:8000/predict',
] = process.argv.slice(2);
if (!key || !deploymentId) {
  console.error('Usage: node example.mjs <API key> <deployment id> [options as JSON] [url]');
  process.exit(2);
}

const id = 'text';
const socket = new WebSocket(url);
const send = (frame) => socket.send(JSON.stringify(frame));
socket.on('error', ({ message }) => fail(`${url}: ${message}`));
socket.on('close', (code, reason) => {
  if (code !== 1000 && code !== 1005) fail(`${url} closed: ${reason || code}`);
});
await once(socket, 'open');
send({ auth: key });
send({ id, deploymentId, options: JSON.parse(options), stream: true });

const frames = on(socket, 'message');
const terminal = createInterface({ input: process.stdin, output: process.stdout });
terminal.on('SIGINT', () => process.exit(130));
terminal.prompt();
for await (const data of terminal) {
  send({ id, data });
  const { finishReason, generatedTokens } = await printText();
  console.log(`\n[${generatedTokens} tokens, ${finishReason}]`);
  terminal.prompt();
}
send({ id, end: true });
socket.close();

/** Prints tokens as they come, until the last one of a text; returns what that says of the text. */
async function printText() {
  for (;;) {
    // Not by a loop over the frames: leaving it would end them.
    const [frame] = (await frames.next()).value;
    const { error, predictions, metadata } = JSON.parse(frame);
    if (error) fail(error.path ? `${error.path}: ${error.message}` : error.message);
    if (!predictions) continue;
    process.stdout.write(predictions.text);
    if (metadata.finishReason) return metadata;
  }
}

function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
