import { GraphBuilder } from 'cloudeasyml/onnx';

/** The length of an axis, or its name where it is only known when the model runs. */
export type Axis = number | string;

/** A value of the graph. */
export interface Value {
  readonly name: string;
  readonly dims: readonly Axis[];
}

/** @returns for each input of an operation its gradient, given that of the output */
type Backward = (gradient: Value) => (readonly [input: Value, gradient: Value])[];

/**
 * Writes float32 operations into an ONNX graph, remembers those that parameters take part in, and
 * writes their gradients behind them: differentiation in reverse mode, done by the engine.
 *
 * Going forward, axes may have names instead of lengths; `gradients()` needs the lengths.
 *
 * @example
 * const tape = new Tape('line');
 * const w = tape.parameter('w', [3, 1]);
 * const loss = tape.crossEntropy(tape.matMul(x, w), labels);
 * const [gradient] = tape.gradients(loss, [w]);
 */
export class Tape {
  readonly graph: GraphBuilder;
  readonly #steps: { output: Value; backward: Backward }[] = [];
  readonly #tracked = new Set<string>();
  readonly #constants = new Map<string, string>();

  constructor(name: string) {
    this.graph = new GraphBuilder(name);
  }

  /** An input of the graph that gradients are wanted for. */
  parameter(name: string, dims: readonly number[]): Value {
    this.#tracked.add(this.graph.input(name, 'float32', dims));
    return { name, dims };
  }

  /** Sums; axes of length 1 and missing ones in front are broadcast. */
  add(a: Value, b: Value): Value {
    const sum = this.#emit('Add', [a, b], broadcast(a.dims, b.dims));
    return this.#record(sum, [a, b], (gradient) => [
      [a, this.#sumTo(gradient, a.dims)],
      [b, this.#sumTo(gradient, b.dims)],
    ]);
  }

  /** Multiplies element by element, broadcasting as add() does. */
  mul(a: Value, b: Value): Value {
    const product = this.#emit('Mul', [a, b], broadcast(a.dims, b.dims));
    return this.#record(product, [a, b], (gradient) => [
      [a, this.#sumTo(this.#emit('Mul', [gradient, b], product.dims), a.dims)],
      [b, this.#sumTo(this.#emit('Mul', [gradient, a], product.dims), b.dims)],
    ]);
  }

  scale(a: Value, factor: number): Value {
    return this.mul(a, this.scalar(factor));
  }

  /** [..., m, k] × [k, n], or × [..., k, n] with the same axes in front, → [..., m, n] */
  matMul(a: Value, b: Value): Value {
    const rows = a.dims.slice(0, -1);
    const product = this.#emit('MatMul', [a, b], [...rows, b.dims.at(-1)!]);
    return this.#record(product, [a, b], (gradient) => {
      const byA = this.#emit('MatMul', [gradient, this.#transposed(b)], a.dims);
      // A matrix that many multiply gathers what all of them say.
      const [left, right] = b.dims.length === 2 ? [rowsOf(a), rowsOf(gradient)] : [a, gradient];
      const byB = this.#emit(
        'MatMul',
        [this.#transposed(this.#reshaped(a, left.dims)), this.#reshaped(gradient, right.dims)],
        b.dims,
      );
      return [
        [a, byA],
        [b, byB],
      ];
    });
  }

  /** @param shape as ONNX has it: 0 keeps an axis */
  reshape(a: Value, shape: readonly number[]): Value {
    const dims = shape.map((length, axis) => (length === 0 ? a.dims[axis]! : length));
    const reshaped = this.#emit('Reshape', [a, this.integers(shape)], dims);
    return this.#record(reshaped, [a], (gradient) => [[a, this.#reshaped(gradient, a.dims)]]);
  }

  transpose(a: Value, order: readonly number[]): Value {
    const inverse = order.map((_, axis) => order.indexOf(axis));
    return this.#record(this.#permuted(a, order), [a], (gradient) => [
      [a, this.#permuted(gradient, inverse)],
    ]);
  }

  /** Rows of a table [rows, width] by their indices (int64) → [...indices' axes, width] */
  gather(table: Value, indices: Value): Value {
    const [rows, width] = table.dims;
    const gathered = this.#emit('Gather', [table, indices], [...indices.dims, width!]);
    return this.#record(gathered, [table], (gradient) => {
      const flat = this.#reshaped(indices, [size(indices.dims)]);
      const chosen = this.#transposed(this.#oneHot(flat, rows!));
      const perIndex = this.#reshaped(gradient, rowsOf(gradient).dims);
      return [[table, this.#emit('MatMul', [chosen, perIndex], table.dims)]];
    });
  }

  sigmoid(a: Value): Value {
    const sigmoid = this.#emit('Sigmoid', [a], a.dims);
    return this.#record(sigmoid, [a], (gradient) => {
      const rest = this.#emit('Sub', [this.scalar(1), sigmoid], a.dims);
      const slope = this.#emit('Mul', [sigmoid, rest], a.dims);
      return [[a, this.#emit('Mul', [gradient, slope], a.dims)]];
    });
  }

  /** Over the last axis. */
  softmax(a: Value): Value {
    const softmax = this.#emit('Softmax', [a], a.dims, { axis: -1n });
    return this.#record(softmax, [a], (gradient) => {
      const weighted = this.#emit('Mul', [gradient, softmax], a.dims);
      const sum = this.#overLast('ReduceSum', weighted);
      return [
        [a, this.#emit('Mul', [softmax, this.#emit('Sub', [gradient, sum], a.dims)], a.dims)],
      ];
    });
  }

  /** Divides the last axis by its root mean square (Zhang and Sennrich 2019). */
  rmsNorm(a: Value, epsilon = 1e-5): Value {
    const mean = this.#overLast('ReduceMean', this.#emit('Mul', [a, a], a.dims));
    const root = this.#emit(
      'Sqrt',
      [this.#emit('Add', [mean, this.scalar(epsilon)], mean.dims)],
      mean.dims,
    );
    const normed = this.#emit('Div', [a, root], a.dims);
    return this.#record(normed, [a], (gradient) => {
      const along = this.#overLast('ReduceMean', this.#emit('Mul', [gradient, normed], a.dims));
      const across = this.#emit(
        'Sub',
        [gradient, this.#emit('Mul', [normed, along], a.dims)],
        a.dims,
      );
      return [[a, this.#emit('Div', [across, root], a.dims)]];
    });
  }

  /** @returns the mean over the rows of -log softmax(logits)[label]; logits [rows, classes], labels [rows] int64 */
  crossEntropy(logits: Value, labels: Value): Value {
    const [rows, classes] = logits.dims;
    const logs = this.#emit('LogSoftmax', [logits], logits.dims, { axis: -1n });
    const picks = this.#emit('Unsqueeze', [labels, this.integers([1])], [rows!, 1]);
    const picked = this.#emit('GatherElements', [logs, picks], [rows!, 1], { axis: 1n });
    const mean = this.#emit('ReduceMean', [picked], [], { keepdims: 0n });
    const loss = this.#emit('Neg', [mean], []);
    return this.#record(loss, [logits], (gradient) => {
      const probabilities = this.#emit('Exp', [logs], logits.dims);
      const targets = this.#oneHot(labels, classes!);
      const excess = this.#emit('Sub', [probabilities, targets], logits.dims);
      const share = this.#emit('Mul', [gradient, this.scalar(1 / Number(rows))], []);
      return [[logits, this.#emit('Mul', [excess, share], logits.dims)]];
    });
  }

  /** @returns the gradient of a scalar by each of the parameters */
  gradients(loss: Value, parameters: readonly Value[]): Value[] {
    const gradients = new Map([[loss.name, this.scalar(1)]]);
    for (const { output, backward } of this.#steps.toReversed()) {
      const gradient = gradients.get(output.name);
      if (!gradient) continue;
      for (const [input, part] of backward(gradient)) {
        if (!this.#tracked.has(input.name)) continue;
        const others = gradients.get(input.name);
        gradients.set(input.name, others ? this.#emit('Add', [others, part], input.dims) : part);
      }
    }
    return parameters.map((parameter) => {
      const gradient = gradients.get(parameter.name);
      if (gradient) return gradient;
      throw new Error(`The loss does not depend on "${parameter.name}".`);
    });
  }

  scalar(value: number): Value {
    const name = this.#constant(`scalar ${value}`, (key) =>
      this.graph.constant(key, 'float32', [], [value]),
    );
    return { name, dims: [] };
  }

  integers(values: readonly number[]): Value {
    const name = this.#constant(`integers ${values}`, (key) =>
      this.graph.constant(key, 'int64', [values.length], values),
    );
    return { name, dims: [values.length] };
  }

  #constant(key: string, make: (key: string) => string): string {
    const name = this.#constants.get(key) ?? make(key);
    this.#constants.set(key, name);
    return name;
  }

  #record(output: Value, inputs: readonly Value[], backward: Backward): Value {
    if (!inputs.some(({ name }) => this.#tracked.has(name))) return output;
    this.#tracked.add(output.name);
    this.#steps.push({ output, backward });
    return output;
  }

  #emit(
    operator: string,
    inputs: readonly Value[],
    dims: readonly Axis[],
    attributes: Record<string, bigint | readonly bigint[]> = {},
  ): Value {
    const names = inputs.map(({ name }) => name);
    return { name: this.graph.node(operator, names, { attributes }), dims };
  }

  #overLast(operator: 'ReduceSum' | 'ReduceMean', a: Value): Value {
    const dims = [...a.dims.slice(0, -1), 1];
    // In opset 17 the one takes its axes as an input, the other as an attribute.
    return operator === 'ReduceSum'
      ? this.#emit(operator, [a, this.integers([-1])], dims)
      : this.#emit(operator, [a], dims, { axes: [-1n] });
  }

  #permuted(a: Value, order: readonly number[]): Value {
    const dims = order.map((axis) => a.dims[axis]!);
    return this.#emit('Transpose', [a], dims, { perm: order.map(BigInt) });
  }

  #transposed(a: Value): Value {
    const order = a.dims.map((_, axis) => axis);
    const [row, column] = order.splice(-2);
    return this.#permuted(a, [...order, column!, row!]);
  }

  #reshaped(a: Value, dims: readonly Axis[]): Value {
    if (String(a.dims) === String(dims)) return a;
    return this.#emit('Reshape', [a, this.integers(lengths(dims))], dims);
  }

  /** Undoes broadcasting: what was read many times has the sum of the gradients. */
  #sumTo(gradient: Value, dims: readonly Axis[]): Value {
    const extra = gradient.dims.length - dims.length;
    const axes = gradient.dims.flatMap((length, axis) =>
      axis < extra || (dims[axis - extra] === 1 && length !== 1) ? [axis] : [],
    );
    if (axes.length === 0) return gradient;
    const kept = gradient.dims.map((length, axis) => (axes.includes(axis) ? 1 : length));
    return this.#reshaped(this.#emit('ReduceSum', [gradient, this.integers(axes)], kept), dims);
  }

  #oneHot(indices: Value, depth: Axis): Value {
    const values = this.#constant('off and on', (key) =>
      this.graph.constant(key, 'float32', [2], [0, 1]),
    );
    const inputs = [indices, this.integers(lengths([depth])), { name: values, dims: [2] }];
    return this.#emit('OneHot', inputs, [...indices.dims, depth]);
  }
}

function broadcast(a: readonly Axis[], b: readonly Axis[]): Axis[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const extra = long.length - short.length;
  return long.map((length, axis) => {
    const other = short[axis - extra] ?? 1;
    if (length === other || other === 1) return length;
    if (length === 1) return other;
    throw new Error(`The shapes [${a}] and [${b}] do not fit each other.`);
  });
}

function lengths(dims: readonly Axis[]): number[] {
  return dims.map((length) => {
    if (typeof length === 'number') return length;
    throw new Error(`Gradients need the length of the axis "${length}".`);
  });
}

function size(dims: readonly Axis[]): number {
  return lengths(dims).reduce((product, length) => product * length, 1);
}

/** The same elements as a matrix: all axes but the last are rows. */
function rowsOf({ name, dims }: Value): Value {
  const width = Number(dims.at(-1));
  return { name, dims: [size(dims) / width, width] };
}
