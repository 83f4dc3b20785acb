import { InferenceSession, Tensor } from 'cloudeasyml';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { endOfText } from './bytePairs.js';
import { decoderNetwork, type NetworkShape } from './network.js';
import { Tape, type Value } from './tape.js';
import type { TrainedModel } from './training.js';

/** The numbers that ONNX gives element types in a Cast. */
const float32Code = 1n;
const int64Code = 7n;
const float16Code = 10n;

const masked = -1e9;

/** @returns the files of an exported folder, by name, as Hugging Face's optimum writes them */
export async function exportedFiles({
  shape,
  parameters,
  tokenizer,
  metrics,
}: TrainedModel): Promise<Map<string, Uint8Array | string>> {
  const halves = new Map<string, Tensor>();
  for (const [name, tensor] of parameters) halves.set(name, await toFloat16(tensor));
  const config = {
    _name_or_path: 'textGeneration',
    model_type: 'cloudeasyml-decoder',
    vocab_size: shape.vocabularySize,
    hidden_size: shape.width,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    max_position_embeddings: shape.contextLength,
    bos_token_id: 0,
    eos_token_id: 0,
  };
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return new Map<string, Uint8Array | string>([
    ['model.onnx', servedModel(shape, halves)],
    ['tokenizer.json', JSON.stringify(tokenizer)],
    ['tokenizer_config.json', json({ bos_token: endOfText, eos_token: endOfText })],
    ['config.json', json(config)],
    ['generation_config.json', json({ bos_token_id: 0, eos_token_id: 0 })],
    ['training.json', json({ metrics })],
  ]);
}

/** Rounds to half precision, by the engine. */
async function toFloat16(tensor: Tensor<'float32'>): Promise<Tensor> {
  const graph = new GraphBuilder('toFloat16');
  graph.input('x', 'float32', ['size']);
  graph.node('Cast', ['x'], { attributes: { to: float16Code }, outputs: ['y'] });
  graph.output('y', 'float16', ['size']);
  const session = await InferenceSession.create(graph.toModel());
  try {
    const { y } = session.run({ x: new Tensor('float32', tensor.data) });
    return new Tensor('float16', Uint16Array.from(y!.data as Uint16Array), tensor.dims);
  } finally {
    session.release();
  }
}

/**
 * The network as an ONNX model with a key-value cache: weights in half precision, computed in single
 * precision. `past_key_values.N.key` and `.value` are [batch, heads, pastLength, headDim], and
 * `present.N.…` the same with the new tokens' behind them.
 */
export function servedModel(
  shape: NetworkShape,
  parameters: ReadonlyMap<string, Tensor>,
): Uint8Array {
  const tape = new Tape('decoder');
  const { graph } = tape;
  const input = (name: string, dims: string[]) => ({
    name: graph.input(name, 'int64', dims),
    dims,
  });
  const ids = input('input_ids', ['batch', 'sequence']);
  const attention = input('attention_mask', ['batch', 'total']);
  const positions = input('position_ids', ['batch', 'sequence']);
  const cacheDims = (length: string) => ['batch', shape.heads, length, shape.width / shape.heads];
  const cached = new Map<string, string>();
  for (let layer = 0; layer < shape.layers; layer++) {
    for (const part of ['key', 'value']) {
      const name = `past_key_values.${layer}.${part}`;
      cached.set(`${layer}.${part}`, graph.input(name, 'float32', cacheDims('past')));
    }
  }
  const values = new Map<string, Value>();
  for (const [name, { type, dims, data }] of parameters) {
    const half = graph.constant(name, type, dims, data);
    values.set(name, {
      name: graph.node('Cast', [half], { attributes: { to: float32Code } }),
      dims,
    });
  }
  const mask = causalMask(graph, ids.name, attention.name);
  const logits = decoderNetwork(tape, shape, values, { ids, positions, mask }, (name, value) => {
    const present = `present.${name}`;
    graph.node('Concat', [cached.get(name)!, value.name], {
      attributes: { axis: 2n },
      outputs: [present],
    });
    return { name: present, dims: cacheDims('total') };
  });
  graph.node('Identity', [logits.name], { outputs: ['logits'] });
  graph.output('logits', 'float32', ['batch', 'sequence', shape.vocabularySize]);
  for (const name of cached.keys()) {
    graph.output(`present.${name}`, 'float32', cacheDims('total'));
  }
  return graph.toModel();
}

/** Each token sees those of the cache, those before it and itself, where `attention_mask` is 1. */
function causalMask(graph: GraphBuilder, ids: string, attention: string): Value {
  const integer = (name: string, value: number) => graph.constant(name, 'int64', [], [value]);
  const zero = integer('zero', 0);
  const one = integer('one', 1);
  const axes = (name: string, values: number[]) =>
    graph.constant(name, 'int64', [values.length], values);
  const lengthOf = (value: string) => {
    const shape = graph.node('Shape', [value], { attributes: { start: 1n, end: 2n } });
    return graph.node('Squeeze', [shape]);
  };
  const total = lengthOf(attention);
  const past = graph.node('Sub', [total, lengthOf(ids)]);
  const keys = graph.node('Range', [zero, total, one]);
  const queries = graph.node('Unsqueeze', [
    graph.node('Range', [past, total, one]),
    axes('keyAxis', [1]),
  ]);
  const isBefore = graph.node('LessOrEqual', [keys, queries]);
  const integers = graph.node('Cast', [attention], { attributes: { to: int64Code } });
  const isText = graph.node('Equal', [
    graph.node('Unsqueeze', [integers, axes('headAndQueryAxes', [1, 2])]),
    one,
  ]);
  const seen = graph.node('And', [isBefore, isText]);
  const open = graph.constant('open', 'float32', [], [0]);
  const closed = graph.constant('closed', 'float32', [], [masked]);
  return {
    name: graph.node('Where', [seen, open, closed]),
    dims: ['batch', 1, 'sequence', 'total'],
  };
}
