import { describe, expect, test } from 'vitest';
import { withoutServerPaths } from '../../dist/serverPaths.js';

const folder = '/srv/plugins/adder';
const shown = (text: string) => withoutServerPaths(text, folder);

describe('what clients read of an error', () => {
  test.each([
    [
      'The model "/srv/models/x/model.onnx" did not load.',
      'The model "[server path]" did not load.',
    ],
    [
      "Error: ENOENT: no such file or directory, open '/home/me/a b/vocab.json' (model.ts:3:7)",
      "Error: ENOENT: no such file or directory, open '[server path]' (model.ts:3:7)",
    ],
    [
      'Load model from /tmp/x.onnx failed:Protobuf',
      'Load model from [server path] failed:Protobuf',
    ],
    ['It failed:/build/core/x.cc:12 why', 'It failed:[server path]:12 why'],
    ['It is in /srv/models. So it is.', 'It is in [server path]. So it is.'],
    ['See file:///etc/passwd, and /etc.', 'See [server path], and [server path].'],
  ])('has no paths: %s', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('names what lies in the plugin’s folder relative to it', () => {
    expect(shown(`The file ${folder}/weights/a.bin does not exist (${folder}/model.ts:3:7).`)).toBe(
      'The file weights/a.bin does not exist (model.ts:3:7).',
    );
    expect(shown(`at file://${folder}/model.ts:3`)).toBe('at model.ts:3');
    expect(shown('/srv/plugins/adder2/x')).toBe('[server path]');
  });

  test.each([
    'expected 1/2 and/or text/plain in ./models/a or <b>x</b>',
    'See https://example.org/a/b?c=d or http://127.0.0.1:8000/x.',
    'pip install "onnxruntime-gpu[cuda,cudnn]==1.29.0" and set onnxruntime/capi/lib.so, 3 /s',
  ])('keeps what is no path: %s', (text) => {
    expect(shown(text)).toBe(text);
  });

  test('is cut where it is too long to be read', () => {
    const quotes = `it is not "${'"'.repeat(10_000_000)}`;
    expect(shown(quotes)).toBe(`${quotes.slice(0, 2000)}…`);
  });

  test.each([
    `SyntaxError: Unexpected token 'r', "root:x:0:0" is not valid JSON`,
    `SyntaxError: Unexpected token 'r', ..."a: root:x:0"... is not valid JSON`,
    `SyntaxError: Unexpected token 'r', "root:x:0:0`,
    `SyntaxError: "root:x:0\n:0" is not valid JSON`,
  ])('has nothing of what a file holds: %s', (text) => {
    expect(shown(text)).toBe('SyntaxError: what was read is not valid JSON');
  });
});
