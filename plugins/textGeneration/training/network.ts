import { Tensor } from 'cloudeasyml';
import type { Random } from '../random.js';
import type { Tape, Value } from './tape.js';

/** The measures of a decoder-only transformer. */
export interface NetworkShape {
  layers: number;
  /** Of the hidden states; a multiple of `heads`. */
  width: number;
  heads: number;
  /** Most tokens that it sees at once. */
  contextLength: number;
  vocabularySize: number;
}

/** What the network reads, as values of a graph. */
export interface NetworkInputs {
  /** int64 [batch, sequence] */
  ids: Value;
  /** int64 [sequence], or [batch, sequence] */
  positions: Value;
  /** Added to the attention's scores, [sequence, keys] or [batch, 1, sequence, keys]: 0, or very negative. */
  mask: Value;
}

/** The feed-forward part is this many times as wide as the hidden states. */
const expansion = 4;

/** @returns the dims of each parameter by its name, in a fixed order */
export function parameterDims(shape: NetworkShape): Map<string, readonly number[]> {
  const { layers, width, contextLength, vocabularySize } = shape;
  const dims = new Map<string, readonly number[]>([
    ['tokens', [vocabularySize, width]],
    ['positions', [contextLength, width]],
  ]);
  for (let layer = 0; layer < layers; layer++) {
    dims.set(`${layer}.attention.norm`, [width]);
    for (const part of ['query', 'key', 'value', 'output']) {
      dims.set(`${layer}.attention.${part}`, [width, width]);
    }
    dims.set(`${layer}.mlp.norm`, [width]);
    dims.set(`${layer}.mlp.up`, [width, expansion * width]);
    dims.set(`${layer}.mlp.down`, [expansion * width, width]);
  }
  return dims.set('norm', [width]);
}

/** Parameters to begin a training with. */
export function initialParameters(
  shape: NetworkShape,
  random: Random,
): Map<string, Tensor<'float32'>> {
  const parameters = new Map<string, Tensor<'float32'>>();
  for (const [name, dims] of parameterDims(shape)) {
    const data = new Float32Array(dims.reduce((product, length) => product * length, 1));
    const deviation = initialDeviation(name, dims[0]!, shape.layers);
    if (name.endsWith('norm')) data.fill(1);
    else for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
    parameters.set(name, new Tensor('float32', data, dims));
  }
  return parameters;
}

function initialDeviation(name: string, fanIn: number, layers: number): number {
  // Not lost among what the blocks add, and yet even in the first forecasts: the tokens are the output's
  // weights, too.
  if (name === 'tokens' || name === 'positions') return 0.1;
  // What is added to the residual stream, twice per layer, must not swell it (Radford et al. 2019).
  const isAdded = name.endsWith('output') || name.endsWith('down');
  return Math.sqrt(1 / fanIn / (isAdded ? 2 * layers : 1));
}

/**
 * Writes the network: pre-norm blocks of causal attention and a SiLU feed-forward part; the output
 * shares its weights with the tokens' embeddings.
 *
 * @param remember sees each layer's keys and values, [batch, heads, sequence, headDim], as
 *   `0.key`, `0.value` …, and returns those to attend to, which may be more
 * @returns logits [batch, sequence, vocabularySize]
 */
export function decoderNetwork(
  tape: Tape,
  shape: NetworkShape,
  parameters: ReadonlyMap<string, Value>,
  { ids, positions, mask }: NetworkInputs,
  remember: (name: string, value: Value) => Value = (_, value) => value,
): Value {
  const { layers, width, heads } = shape;
  const parameter = (name: string) => parameters.get(name)!;
  const norm = (x: Value, name: string) => tape.mul(tape.rmsNorm(x), parameter(name));
  const perHead = (x: Value, name: string) =>
    tape.transpose(
      tape.reshape(tape.matMul(x, parameter(name)), [0, 0, heads, width / heads]),
      [0, 2, 1, 3],
    );

  let hidden = tape.add(
    tape.gather(parameter('tokens'), ids),
    tape.gather(parameter('positions'), positions),
  );
  for (let layer = 0; layer < layers; layer++) {
    const x = norm(hidden, `${layer}.attention.norm`);
    const query = tape.scale(perHead(x, `${layer}.attention.query`), 1 / Math.sqrt(width / heads));
    const key = remember(`${layer}.key`, perHead(x, `${layer}.attention.key`));
    const value = remember(`${layer}.value`, perHead(x, `${layer}.attention.value`));
    const scores = tape.matMul(query, tape.transpose(key, [0, 1, 3, 2]));
    const attended = tape.matMul(tape.softmax(tape.add(scores, mask)), value);
    const joined = tape.reshape(tape.transpose(attended, [0, 2, 1, 3]), [0, 0, width]);
    hidden = tape.add(hidden, tape.matMul(joined, parameter(`${layer}.attention.output`)));

    const up = tape.matMul(norm(hidden, `${layer}.mlp.norm`), parameter(`${layer}.mlp.up`));
    const activated = tape.mul(up, tape.sigmoid(up));
    hidden = tape.add(hidden, tape.matMul(activated, parameter(`${layer}.mlp.down`)));
  }
  return tape.matMul(norm(hidden, 'norm'), tape.transpose(parameter('tokens'), [1, 0]));
}
