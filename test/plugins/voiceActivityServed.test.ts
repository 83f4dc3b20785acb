import { beforeAll, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { type Received, SocketClient } from '../support/socketClient.js';
import { voice8k, voice16k } from './voiceActivityAudio.js';

let server: ServerProcess;
let voices: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['voiceActivity']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  voices = await server.admin.deploy('voiceActivity');
});

/** A second of a recording, and how it is cut up. */
interface Part {
  pcm: Int16Array;
  sampleRate: number;
  chunk: number;
}

const parts: Part[] = Array.from({ length: 20 }, (_, i) => {
  const { pcm, sampleRate } = i % 4 === 3 ? voice8k : voice16k;
  const from = Math.round(((i % 10) / 10) * (pcm.length - sampleRate));
  return { pcm: pcm.slice(from, from + sampleRate), sampleRate, chunk: 700 + 331 * i };
});

/** Sends a part as a stream, its pieces as int16 tensors. */
function speak(client: SocketClient, id: number, { pcm, sampleRate, chunk }: Part): void {
  for (let at = 0; at < pcm.length; at += chunk) {
    const piece = pcm.subarray(at, at + chunk);
    client.sendTensors(
      {
        id,
        ...(at === 0 && { deploymentId: voices, stream: true }),
        data: { sampleRate },
        end: at + chunk >= pcm.length,
        tensors: [{ name: 'audio', type: 'int16', dims: [piece.length] }],
      },
      piece,
    );
  }
}

interface Frame {
  time: number;
  probability?: number;
  event?: string;
}

function framesOf(received: Received[]): Frame[] {
  expect(received.at(-1)?.done, JSON.stringify(received.at(-1))).toBe(true);
  return received.slice(0, -1).map(({ predictions }) => predictions as Frame);
}

it('answers 1,000 streams at once as it does the same audio alone', async () => {
  const alone: Frame[][] = [];
  const first = await SocketClient.open(server);
  for (const [id, part] of parts.entries()) {
    speak(first, id, part);
    alone.push(framesOf(await first.rest(id)));
  }
  expect(alone.flat().some(({ event }) => event === 'start')).toBe(true);

  const clients = await Promise.all(Array.from({ length: 10 }, () => SocketClient.open(server)));
  for (let id = 0; id < 100; id++) {
    for (const client of clients) speak(client, id, parts[id % parts.length]!);
  }
  for (const client of clients) {
    for (let id = 0; id < 100; id++) {
      const frames = framesOf(await client.rest(id));
      const expected = alone[id % parts.length]!;
      expect(frames).toHaveLength(expected.length);
      for (const [i, { time, event, probability = 0 }] of frames.entries()) {
        expect(time).toBe(expected[i]!.time);
        expect(event).toBe(expected[i]!.event);
        expect(Math.abs(probability - (expected[i]!.probability ?? 0))).toBeLessThan(1e-5);
      }
    }
  }
});
