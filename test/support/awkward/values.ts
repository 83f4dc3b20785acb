/** Models of every element type, and of values that are easily lost on the way. */
import { type ElementType, GraphBuilder } from 'cloudeasyml/onnx';
import type { Nested } from '../packedTensor.js';
import { type AwkwardModel, rowsOf } from './awkwardModel.js';

/** What comes in goes out. @param values what a tensor of the type can hold at its ends, and between */
function echo(type: ElementType, values: readonly Nested[]): AwkwardModel {
  const graph = new GraphBuilder('echo');
  const x = graph.input('x', type, ['batch', 2]);
  graph.node('Identity', [x], { outputs: ['y'] });
  graph.output('y', type, ['batch', 2]);
  return {
    model: graph.toModel(),
    inputs: { x: type },
    outputs: { y: type },
    request(client) {
      const x = rowsOf(client, 5, (row) => [
        values[(client + row) % values.length]!,
        values[(client * 3 + row + 1) % values.length]!,
      ]);
      return { data: x, predictions: x };
    },
  };
}

const texts = ['a', 'a\0b', 'a\0', '\0', '', 'ü', '六 😀', '"\\\n\u0001', 'a\0c'];

/** words: [batch, length] → the same, and each one's number among `texts`. */
function strings(): AwkwardModel {
  const graph = new GraphBuilder('strings');
  const words = graph.input('words', 'string', ['batch', 'length']);
  graph.node('Identity', [words], { outputs: ['echo'] });
  graph.node('LabelEncoder', [words], {
    domain: 'ai.onnx.ml',
    outputs: ['index'],
    attributes: {
      keys_strings: texts,
      values_int64s: texts.map((_, index) => BigInt(index)),
      default_int64: -1n,
    },
  });
  graph.output('echo', 'string', ['batch', 'length']);
  graph.output('index', 'int64', ['batch', 'length']);
  return {
    model: graph.toModel(),
    inputs: { words: 'string' },
    outputs: { echo: 'string', index: 'int64' },
    request(client) {
      const words = rowsOf(client, 5, (row) =>
        Array.from({ length: 1 + (client % 2) }, (_, i) => texts[(client + row + i) % 9]!),
      );
      return {
        data: words,
        predictions: {
          echo: words,
          index: words.map((row) => row.map((word) => texts.indexOf(word))),
        },
      };
    },
  };
}

export const values: Record<string, AwkwardModel> = {
  echoFloat64: echo('float64', [0.1, -1.7976931348623157e308, 5e-324, 2 ** 53 + 2]),
  echoFloat16: echo('float16', [0.5, -2, 1024, 65504, 0.25]),
  echoBfloat16: echo('bfloat16', [0.5, -2, 1024, 0.25, 3]),
  echoInt8: echo('int8', [-128, 127, 0, -1]),
  echoUint8: echo('uint8', [0, 255, 128]),
  echoInt16: echo('int16', [-32768, 32767, 7]),
  echoUint16: echo('uint16', [0, 65535, 7]),
  echoInt32: echo('int32', [-2147483648, 2147483647, 7]),
  echoUint32: echo('uint32', [0, 4294967295, 7]),
  echoInt64: echo('int64', [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n]),
  echoUint64: echo('uint64', [0n, 2n ** 64n - 1n, 2n ** 63n + 1n]),
  echoBool: echo('bool', [true, false]),
  strings: strings(),
};
