// Streams a WAV file (16 bit mono, 8 or 16 kHz) at the pace of its sound and prints where speech starts and
// ends, as the server tells it:
//
//   node plugins/voiceActivity/example.mjs <API key> <deployment id> <file.wav> [ws://localhost:8000/predict]

import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import WebSocket from 'ws';

const [key, deploymentId, file, url = 'ws://localhost:8000/predict'] = process.argv.slice(2);
if (!file) {
  console.error('Usage: node example.mjs <API key> <deployment id> <file.wav> [url]');
  process.exit(2);
}

/** Milliseconds of sound in one frame. */
const pace = 100;

const { sampleRate, samples } = readWav(await readFile(file));
const socket = new WebSocket(url);
socket.on('error', ({ message }) => fail(`${url}: ${message}`));
socket.on('message', (text) => show(JSON.parse(String(text))));
socket.on('open', async () => {
  const send = (frame) => socket.send(JSON.stringify(frame));
  send({ auth: key });
  send({ id: 'voice', deploymentId, data: { sampleRate }, stream: true });
  const length = (sampleRate * pace) / 1000;
  const began = performance.now();
  for (let start = 0; start < samples.length; start += length) {
    const playedMs = ((start + length) * 1000) / sampleRate;
    await wait(began + playedMs - performance.now());
    socket.send(binaryFrame('voice', samples.subarray(start, start + length)));
  }
  send({ id: 'voice', end: true });
});

/** The length of the header, the header in JSON, and the tensor that it describes. */
function binaryFrame(id, audio) {
  const tensors = [{ name: 'audio', type: 'int16', dims: [audio.length] }];
  const header = Buffer.from(JSON.stringify({ id, tensors }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([
    length,
    header,
    Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength),
  ]);
}

function show(frame) {
  if (frame.error) {
    const { detail, path } = frame.error;
    fail(path ? `${detail} (${path})` : detail);
  }
  if (frame.done) socket.close();
  const { event, time } = frame.predictions ?? {};
  if (event) console.log(`${time.toFixed(3).padStart(8)} s  speech ${event}s`);
}

function readWav(bytes) {
  const format = bytes.indexOf('fmt ') + 8;
  const data = bytes.indexOf('data', format) + 8;
  if (format < 8 || data < 8) fail(`${file} is not a WAV file.`);
  const layout = [format, format + 2, format + 14].map((at) => bytes.readUInt16LE(at));
  const rate = bytes.readUInt32LE(format + 4);
  if (String(layout) !== '1,1,16' || (rate !== 8000 && rate !== 16000)) {
    fail('Expected a WAV file of 16 bit mono PCM at 8 or 16 kHz.');
  }
  const end = Math.min(data + bytes.readUInt32LE(data - 4), bytes.length);
  return {
    sampleRate: rate,
    samples: new Int16Array(Uint8Array.from(bytes.subarray(data, end)).buffer),
  };
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
