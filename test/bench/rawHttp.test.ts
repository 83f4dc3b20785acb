import { describe, expect, it } from 'vitest';
import { AnswerParser } from '../../bench/serving/rawHttp.mjs';

function timesOf(headers: string, body: string) {
  const heard: unknown[] = [];
  const parser = new AnswerParser((status, times) => heard.push({ status, ...times }));
  const answer = Buffer.from(
    `HTTP/1.1 200 OK\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`,
  );
  // In two pieces, as a connection may bring it.
  parser.read(answer.subarray(0, 30));
  parser.read(answer.subarray(30));
  return heard;
}

describe('the open loop’s answers', () => {
  const body = '{"predictions":[],"processingTimeMs":1.5}';

  it('tell where their time went by their server-timing', () => {
    const header = 'Server-Timing: queue;dur=0.25, batch;dur=0.5, compute;dur=1.000\r\n';
    expect(timesOf(header, body)).toEqual([{ status: 200, queue: 0.25, batch: 0.5, compute: 1 }]);
  });

  it('without it tell of the run alone, or of nothing', () => {
    const none = Number.NaN;
    expect(timesOf('', body)).toEqual([{ status: 200, queue: none, batch: none, compute: 1.5 }]);
    expect(timesOf('', '{}')).toEqual([{ status: 200, queue: none, batch: none, compute: none }]);
  });
});
