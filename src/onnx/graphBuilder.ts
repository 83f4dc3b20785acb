import onnxProto from 'onnx-proto';
import { CloudEasyMLError } from '../errors.js';
import { type Attribute, attributeProto, type Subgraph } from './attribute.js';
import {
  type Dimension,
  type ElementType,
  type ExternalData,
  externalTensorProto,
  type TensorContent,
  tensorProto,
} from './tensor.js';
import { type ValueType, valueInfoProto } from './valueType.js';

const { onnx } = onnxProto;

/** Operators' domains and the version of each that a model asks for unless told otherwise. */
const defaultOpsets: Record<string, number> = {
  '': 17,
  'ai.onnx.ml': 3,
  'com.microsoft': 1,
};

const irVersion = 8;

export interface NodeOptions {
  attributes?: Record<string, Attribute>;
  /** The names of the node's outputs, as many as it has; without them it has one, named for it. */
  outputs?: readonly string[];
  /** The operator's domain; `''` holds ONNX's own operators. */
  domain?: string;
}

export interface ModelOptions {
  /** Versions of the operators' domains, over the defaults. */
  opsets?: Record<string, number>;
  /** Free-form text kept in the model. */
  metadata?: Record<string, string>;
}

/**
 * Writes an ONNX graph node by node. Each call returns the name of the value that it made, to be
 * handed on as another node's input.
 *
 * @example
 * const graph = new GraphBuilder('doubler');
 * const x = graph.input('x', 'float32', ['batch', 3]);
 * const two = graph.constant('two', 'float32', [], [2]);
 * graph.node('Mul', [x, two], { outputs: ['y'] });
 * graph.output('y', 'float32', ['batch', 3]);
 * const session = await InferenceSession.create(graph.toModel());
 */
export class GraphBuilder implements Subgraph {
  readonly #name: string;
  readonly #parent: GraphBuilder | undefined;
  readonly #values = new Set<string>();
  readonly #domains = new Set<string>(['']);
  readonly #inputs: ReturnType<typeof valueInfoProto>[] = [];
  readonly #outputs: ReturnType<typeof valueInfoProto>[] = [];
  readonly #initializers: ReturnType<typeof tensorProto>[] = [];
  readonly #nodes: ReturnType<typeof onnx.NodeProto.create>[] = [];

  constructor(name: string, parent?: GraphBuilder) {
    this.#name = name;
    this.#parent = parent;
  }

  /**
   * Adds an input.
   *
   * @param dims a size, a symbolic name or null for each axis
   */
  input(name: string, type: ElementType, dims: readonly Dimension[]): string;
  /** Adds an input that need not be a tensor. */
  input(name: string, type: ValueType): string;
  input(name: string, type: ElementType | ValueType, dims: readonly Dimension[] = []): string {
    this.#define(name);
    this.#inputs.push(valueInfoProto(name, valueType(type, dims)));
    return name;
  }

  /**
   * Adds an initializer: a tensor kept in the model.
   *
   * @param dims sizes of the axes; `[]` is a scalar
   * @param data elements in row-major order; float16 and bfloat16 as their 16 bits
   */
  constant(
    name: string,
    type: ElementType,
    dims: readonly number[],
    data: TensorContent['data'],
  ): string {
    const initializer = tensorProto(name, { type, dims, data });
    this.#define(name);
    this.#initializers.push(initializer);
    return name;
  }

  /** Adds an initializer whose elements lie in a file beside the model. */
  externalConstant(
    name: string,
    type: Exclude<ElementType, 'string'>,
    dims: readonly number[],
    data: ExternalData,
  ): string {
    this.#define(name);
    this.#initializers.push(externalTensorProto(name, type, dims, data));
    return name;
  }

  /**
   * Adds a node.
   *
   * @param operator its type, such as `Gemm`
   * @param inputs names of values made before; `''` leaves an optional one out
   * @returns the name of its first output
   */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const { attributes = {}, outputs, domain = '' } = options;
    for (const input of inputs) if (input !== '') this.#expectDefined(input, operator);
    const name = `${operator}_${this.#nodes.length}`;
    const outputNames = outputs ?? [`${this.#name}/${name}`];
    for (const output of outputNames) if (output !== '') this.#define(output);
    this.#addDomain(domain);
    this.#nodes.push(
      onnx.NodeProto.create({
        name,
        opType: operator,
        domain,
        input: [...inputs],
        output: [...outputNames],
        attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
      }),
    );
    return outputNames[0] ?? '';
  }

  /** Declares a value made before to be an output. */
  output(name: string, type: ElementType, dims: readonly Dimension[]): void;
  /** Declares a value made before to be an output that need not be a tensor. */
  output(name: string, type: ValueType): void;
  output(name: string, type: ElementType | ValueType, dims: readonly Dimension[] = []): void {
    this.#expectDefined(name, `the outputs of "${this.#name}"`);
    this.#outputs.push(valueInfoProto(name, valueType(type, dims)));
  }

  /** Begins a graph for an attribute, such as the body of a `Loop`; its nodes see this graph's values. */
  subgraph(name: string): GraphBuilder {
    return new GraphBuilder(name, this);
  }

  graphProto() {
    return onnx.GraphProto.create({
      name: this.#name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    });
  }

  /** @returns the model's bytes: what a .onnx file holds */
  toModel(options: ModelOptions = {}): Uint8Array<ArrayBuffer> {
    const opsets: Record<string, number> = { ...defaultOpsets, ...options.opsets };
    const model = onnx.ModelProto.create({
      irVersion,
      producerName: 'cloudeasyml',
      opsetImport: [...this.#domains].map((domain) => ({ domain, version: opsets[domain] ?? 1 })),
      graph: this.graphProto(),
      metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    });
    return Uint8Array.from(onnx.ModelProto.encode(model).finish());
  }

  #addDomain(domain: string): void {
    this.#domains.add(domain);
    if (this.#parent) this.#parent.#addDomain(domain);
  }

  #sees(name: string): boolean {
    return this.#values.has(name) || (this.#parent ? this.#parent.#sees(name) : false);
  }

  #define(name: string): void {
    if (name === '' || this.#sees(name)) {
      throw new CloudEasyMLError(
        'invalid_input',
        `Expected a name that is new to the graph "${this.#name}" but received "${name}".`,
        { path: name },
      );
    }
    this.#values.add(name);
  }

  #expectDefined(name: string, user: string): void {
    if (this.#sees(name)) return;
    throw new CloudEasyMLError(
      'invalid_input',
      `Expected "${name}", which ${user} uses, to be made before in the graph "${this.#name}".`,
      { path: name },
    );
  }
}

function valueType(type: ElementType | ValueType, dims: readonly Dimension[]): ValueType {
  return typeof type === 'string' ? { tensor: type, dims } : type;
}
