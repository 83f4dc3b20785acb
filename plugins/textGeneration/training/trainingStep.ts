import { InferenceSession, type SessionOptions, Tensor } from 'cloudeasyml';
import { decoderNetwork, type NetworkInputs, type NetworkShape, parameterDims } from './network.js';
import { Tape, type Value } from './tape.js';

/** Adam's decay rates of the gradient's mean and mean square, and what keeps it from dividing by 0. */
const meanDecay = 0.9;
const squareDecay = 0.99;
const epsilon = 1e-8;

/** Gradients longer than this, all parameters' taken together, are cut to it. */
const longestGradient = 1;

/** Far below any score; softmax makes it 0. */
const masked = -1e9;

export type Parameters = ReadonlyMap<string, Tensor<'float32'>>;

/** Windows of token ids, [batch, contextLength + 1]: each token but the last forecasts the next. */
export interface Windows {
  batch: number;
  ids: BigInt64Array;
}

/** The loss of the network over windows of text, in nats per token. */
interface LossGraph {
  tape: Tape;
  parameters: Map<string, Value>;
  loss: Value;
}

function lossGraph(shape: NetworkShape, batch: number): LossGraph {
  const { contextLength: length, vocabularySize } = shape;
  const tape = new Tape('training');
  const { graph } = tape;
  const ids = { name: graph.input('ids', 'int64', [batch, length]), dims: [batch, length] };
  const labels = { name: graph.input('labels', 'int64', [batch * length]), dims: [batch * length] };
  const order = Array.from({ length }, (_, position) => position);
  const causal = order.flatMap((query) => order.map((key) => (key <= query ? 0 : masked)));
  const inputs: NetworkInputs = {
    ids,
    positions: tape.integers(order),
    mask: {
      name: graph.constant('mask', 'float32', [length, length], causal),
      dims: [length, length],
    },
  };
  const parameters = new Map(
    [...parameterDims(shape)].map(([name, dims]) => [name, tape.parameter(name, dims)]),
  );
  const logits = decoderNetwork(tape, shape, parameters, inputs);
  const rows = tape.reshape(logits, [batch * length, vocabularySize]);
  return { tape, parameters, loss: tape.crossEntropy(rows, labels) };
}

function windowFeeds({ batch, ids }: Windows, length: number) {
  const inputs = new BigInt64Array(batch * length);
  const labels = new BigInt64Array(batch * length);
  for (let row = 0; row < batch; row++) {
    const from = row * (length + 1);
    inputs.set(ids.subarray(from, from + length), row * length);
    labels.set(ids.subarray(from + 1, from + 1 + length), row * length);
  }
  return {
    ids: new Tensor('int64', inputs, [batch, length]),
    labels: new Tensor('int64', labels),
  };
}

/** Measures a network's loss on windows of text. */
export class Evaluation {
  readonly #length: number;
  readonly #session: InferenceSession;

  private constructor(length: number, session: InferenceSession) {
    this.#length = length;
    this.#session = session;
  }

  static async create(shape: NetworkShape, batch: number, options: SessionOptions) {
    const { tape, loss } = lossGraph(shape, batch);
    tape.graph.node('Identity', [loss.name], { outputs: ['loss'] });
    tape.graph.output('loss', 'float32', []);
    const session = await InferenceSession.create(tape.graph.toModel(), options);
    return new Evaluation(shape.contextLength, session);
  }

  /** @returns nats per token */
  loss(parameters: Parameters, windows: Windows): number {
    const feeds = { ...Object.fromEntries(parameters), ...windowFeeds(windows, this.#length) };
    return Number(this.#session.run(feeds).loss!.data[0]);
  }

  release(): void {
    this.#session.release();
  }
}

/** The parameters, and Adam's two averages of each, by their names in the graph. */
type State = Record<string, Tensor>;

const meanOf = (name: string) => `mean.${name}`;
const squareOf = (name: string) => `square.${name}`;
const nextOf = (name: string) => `next.${name}`;

/**
 * One step of a training as one run of the engine: forward, backward, and Adam's update (Kingma and
 * Ba 2015). Two states take turns: a run reads the one and writes the other, so nothing is allocated.
 */
export class TrainingStep {
  readonly #shape: NetworkShape;
  readonly #session: InferenceSession;
  readonly #loss = new Tensor('float32', new Float32Array(1), []);
  #current: State;
  #next: State;
  #step = 0;

  private constructor(shape: NetworkShape, session: InferenceSession, parameters: Parameters) {
    this.#shape = shape;
    this.#session = session;
    this.#current = initialState(parameters);
    this.#next = initialState(parameters);
  }

  static async create(
    shape: NetworkShape,
    batch: number,
    parameters: Parameters,
    options: SessionOptions,
  ): Promise<TrainingStep> {
    const session = await InferenceSession.create(stepModel(shape, batch), options);
    return new TrainingStep(shape, session, parameters);
  }

  /** As they are now; the next step but one overwrites them. */
  get parameters(): Parameters {
    const names = [...parameterDims(this.#shape).keys()];
    return new Map(names.map((name) => [name, this.#current[name] as Tensor<'float32'>]));
  }

  /** @returns the loss on the windows before the step, nats per token */
  run(windows: Windows, learningRate: number): number {
    this.#step++;
    // Adam's averages begin at 0; this makes up for it.
    const correction = Math.sqrt(1 - squareDecay ** this.#step) / (1 - meanDecay ** this.#step);
    const outputs: Record<string, Tensor> = { loss: this.#loss };
    for (const name in this.#next) outputs[nextOf(name)] = this.#next[name]!;
    this.#session.run(
      {
        ...this.#current,
        ...windowFeeds(windows, this.#shape.contextLength),
        rate: new Tensor('float32', Float32Array.of(learningRate * correction), []),
      },
      outputs,
    );
    [this.#current, this.#next] = [this.#next, this.#current];
    return this.#loss.data[0]!;
  }

  release(): void {
    this.#session.release();
  }
}

function initialState(parameters: Parameters): State {
  const state: State = {};
  for (const [name, { data, dims }] of parameters) {
    state[name] = new Tensor('float32', data.slice(), dims);
    state[meanOf(name)] = new Tensor('float32', new Float32Array(data.length), dims);
    state[squareOf(name)] = new Tensor('float32', new Float32Array(data.length), dims);
  }
  return state;
}

function stepModel(shape: NetworkShape, batch: number): Uint8Array {
  const { tape, parameters, loss } = lossGraph(shape, batch);
  const { graph } = tape;
  const values = [...parameters.values()];
  const gradients = tape.gradients(loss, values);
  const node = (operator: string, ...inputs: string[]) => graph.node(operator, inputs);
  const number = (value: number) => tape.scalar(value).name;

  const squares = gradients.map(({ name }) => {
    return graph.node('ReduceSumSquare', [name], { attributes: { keepdims: 0n } });
  });
  const length = node('Sqrt', node('Sum', ...squares));
  const cut = node('Max', node('Div', length, number(longestGradient)), number(1));

  const rate = graph.input('rate', 'float32', []);
  graph.node('Identity', [loss.name], { outputs: ['loss'] });
  graph.output('loss', 'float32', []);
  for (const [index, { name, dims }] of values.entries()) {
    const average = (of: string, gradient: string, decay: number) => {
      const old = graph.input(of, 'float32', dims as number[]);
      const kept = node('Mul', old, number(decay));
      return node('Add', kept, node('Mul', gradient, number(1 - decay)));
    };
    const gradient = node('Div', gradients[index]!.name, cut);
    const mean = average(meanOf(name), gradient, meanDecay);
    const square = average(squareOf(name), node('Mul', gradient, gradient), squareDecay);
    const direction = node('Div', mean, node('Add', node('Sqrt', square), number(epsilon)));
    const next = node('Sub', name, node('Mul', direction, rate));
    for (const [of, value] of [
      [name, next],
      [meanOf(name), mean],
      [squareOf(name), square],
    ] as const) {
      graph.node('Identity', [value], { outputs: [nextOf(of)] });
      graph.output(nextOf(of), 'float32', dims as number[]);
    }
  }
  return graph.toModel();
}
