import { describe, expect, it } from 'vitest';
import { FrameRing, peekBytes, readAnswer } from '../../bench/serving/socket/frameRing.mjs';
import { clientFrame, FrameHeads, Opcode } from '../../bench/serving/socket/frames.mjs';
import {
  jsonPayload,
  Kind,
  tensorPayload,
  tensorRows,
} from '../../bench/serving/socket/payloads.mjs';

/** A server's frame, which has no mask. */
function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { frame, payloadAt } = clientFrame(opcode, payload);
  frame[1]! &= 0x7f;
  return Buffer.concat([frame.subarray(0, payloadAt - 4), frame.subarray(payloadAt)]);
}

const text = (frame: object) => serverFrame(Opcode.text, Buffer.from(JSON.stringify(frame)));

/** A binary answer: a header's length, the header, and bytes. */
function binary(header: object, bytes: number): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return serverFrame(Opcode.binary, Buffer.concat([length, json, Buffer.alloc(bytes, 0x81)]));
}

const answers = Buffer.concat([
  text({ id: 1000, seq: 0, predictions: [1] }),
  text({ id: 1234, done: true, predictions: 'x'.repeat(200) }),
  serverFrame(9, Buffer.alloc(0)),
  binary({ id: 1007, done: true, tensors: [] }, 70_000),
  text({ id: null, error: { code: 'bad_request' } }),
]);

function read(pieces: readonly Buffer[]) {
  const heard: unknown[] = [];
  const heads = new FrameHeads(peekBytes, (opcode, bytes, payloadAt) => {
    if (opcode === 9) heard.push('ping');
    else heard.push(readAnswer(opcode, bytes, payloadAt));
  });
  for (const piece of pieces) heads.read(piece, piece.length);
  return heard;
}

describe('the WebSocket load generator', () => {
  const expected = [
    { slot: 0, kind: Kind.output },
    { slot: 234, kind: Kind.done },
    'ping',
    { slot: 7, kind: Kind.done },
    { slot: expect.any(Number), kind: 'e'.charCodeAt(0) },
  ];

  it('tells answers apart by their first bytes', () => {
    expect(read([answers])).toEqual(expected);
  });

  it('reads them in whatever pieces they come', () => {
    for (let size = 1; size < 64; size++) {
      const pieces = [];
      for (let at = 0; at < answers.length; at += size) {
        pieces.push(answers.subarray(at, at + size));
      }
      expect(read(pieces), `pieces of ${size}`).toEqual(expected);
    }
    for (let at = 1; at < 400; at++) {
      expect(read([answers.subarray(0, at), answers.subarray(at)]), `cut at ${at}`).toEqual(
        expected,
      );
    }
  });

  it('has an id of its own in each frame, JSON or not', () => {
    const requests = [
      jsonPayload({ deploymentId: 'one', data: [[1, 2]] }),
      tensorPayload('one', [[1, 2]]),
    ];
    for (const request of requests) {
      const ring = new FrameRing(request, 16);
      expect(ring.frames).toBe(9000);
      for (const slot of [0, 1, 8999]) {
        const frame = ring.range(slot, 1);
        const unmasked = Buffer.concat([frame.subarray(0, 2), frame.subarray(6)]);
        unmasked[1]! &= 0x7f;
        expect(unmasked.toString('latin1')).toContain(`{"id":${1000 + slot},"deploymentId":"one"`);
      }
    }
  });

  it('keeps few frames where they are large, and enough of them', () => {
    const image = tensorPayload('one', [Array(150_528).fill(1)]);
    expect(new FrameRing(image, 16).frames).toBe(64);
  });

  it('reads the tensors that it writes', () => {
    const rows = [
      [0.5, -1, 3],
      [4, 5, 6.25],
    ];
    expect(tensorRows(tensorPayload('one', rows).bytes)).toEqual(rows);
  });
});
