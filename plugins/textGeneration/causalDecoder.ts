import type { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, type SessionOptions, Tensor, type ValueInfo } from 'cloudeasyml';
import { type ExportedFolder, readExportedFolder, unusable } from './exportedFolder.js';

const pastPattern = /^past_key_values\.(\d+\.(?:key|value))$/;
const simpleInputs = ['input_ids', 'attention_mask', 'position_ids', 'use_cache_branch'];

/** A layer's keys or values: the input that takes them, the output that gives them with more behind. */
interface CacheEntry {
  input: ValueInfo;
  output: string;
}

/**
 * A decoder-only language model as Hugging Face's optimum exports it, with a cache of the keys and
 * values of the tokens that it has read.
 */
export class CausalDecoder {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** Most tokens that the model sees at once. */
  readonly contextLength: number;
  /** Tokens that end a text. */
  readonly endIds: ReadonlySet<number>;
  /** What the tokenizer puts in front of a text. */
  readonly startIds: readonly number[];
  readonly #session: InferenceSession;
  readonly #cache: readonly CacheEntry[];
  readonly #emptyPast: Record<string, Tensor>;

  private constructor(folder: ExportedFolder, session: InferenceSession) {
    this.name = folder.name;
    this.tokenizer = folder.tokenizer;
    this.contextLength = folder.contextLength;
    this.endIds = folder.endIds;
    this.startIds = folder.tokenizer.encode('').ids;
    this.#session = session;
    this.#cache = checkedCache(session);
    this.#emptyPast = Object.fromEntries(
      this.#cache.map(({ input }) => [input.name, emptyPast(input, folder)]),
    );
  }

  /**
   * @param folder an exported folder
   * @throws InputError on `config.model.path` where it does not hold a decoder with a cache
   */
  static async create(folder: string, options: SessionOptions): Promise<CausalDecoder> {
    const exported = await readExportedFolder(folder);
    const session = await InferenceSession.create(exported.modelFile, options);
    try {
      return new CausalDecoder(exported, session);
    } catch (error) {
      session.release();
      throw error;
    }
  }

  /** Begins a text. */
  begin(): TokenSequence {
    return new TokenSequence(this);
  }

  /**
   * Reads tokens.
   *
   * @param ids the tokens that come after those of `past`
   * @param past what an earlier call returned; nothing at the beginning of a text
   * @param length of the past, in tokens
   * @returns the next token's logits, one for each of the vocabulary, and the cache with these tokens
   */
  read(ids: readonly number[], past: Record<string, Tensor> | undefined, length: number) {
    const feeds: Record<string, Tensor> = { ...(past ?? this.#emptyPast) };
    for (const { name, type } of this.#session.inputs) {
      switch (name) {
        case 'input_ids':
          feeds[name] = row(type, ids);
          break;
        case 'attention_mask':
          feeds[name] = row(type, new Array<number>(length + ids.length).fill(1));
          break;
        case 'position_ids':
          feeds[name] = row(
            type,
            ids.map((_, index) => length + index),
          );
          break;
        case 'use_cache_branch':
          feeds[name] = new Tensor('bool', Uint8Array.of(past ? 1 : 0));
          break;
      }
    }
    const outputs = this.#session.run(feeds);
    const grown: Record<string, Tensor> = {};
    for (const { input, output } of this.#cache) grown[input.name] = outputs[output]!;
    return { logits: lastRow(outputs.logits!), past: grown };
  }

  release(): void {
    this.#session.release();
  }
}

/** A text as the model has it: its tokens, and the cache of those that were read. */
export class TokenSequence {
  readonly #decoder: CausalDecoder;
  #past: Record<string, Tensor> | undefined;
  #read: number[] = [];
  #unread: number[] = [];

  constructor(decoder: CausalDecoder) {
    this.#decoder = decoder;
  }

  /** All that the model has of the text. */
  get ids(): number[] {
    return [...this.#read, ...this.#unread];
  }

  get isEmpty(): boolean {
    return this.#read.length + this.#unread.length === 0;
  }

  append(ids: readonly number[]): void {
    // Not by push(...ids): a prompt may have more tokens than a call can have arguments.
    this.#unread = this.#unread.concat(ids);
  }

  /**
   * Reads what was appended, after what is cached. Where all of it is longer than the model's context,
   * the older half is forgotten.
   *
   * @returns the next token's logits
   */
  forecast(): Float32Array {
    const { contextLength, startIds } = this.#decoder;
    if (this.#read.length + this.#unread.length > contextLength) {
      const kept = this.ids.slice(-Math.ceil(contextLength / 2));
      this.free();
      this.#unread = [...startIds, ...kept].slice(-contextLength);
    }
    const { logits, past } = this.#decoder.read(this.#unread, this.#past, this.#read.length);
    this.#past = past;
    this.#read = this.#read.concat(this.#unread);
    this.#unread = [];
    return logits;
  }

  /** Lets go of the cache and the tokens. */
  free(): void {
    this.#past = undefined;
    this.#read = [];
    this.#unread = [];
  }
}

/** @throws InputError where the session's inputs and outputs are not those of a decoder with a cache */
function checkedCache({ inputs, outputs }: InferenceSession): CacheEntry[] {
  const names = inputs.map(({ name }) => name);
  if (!names.includes('input_ids')) throw unusable('the model has no input "input_ids"');
  const strange = names.find((name) => !simpleInputs.includes(name) && !pastPattern.test(name));
  if (strange !== undefined) {
    throw unusable(
      `expected a model with the inputs ${simpleInputs.join(', ')} and past_key_values.N.key and .value, but it has "${strange}" too`,
    );
  }
  const past = inputs.filter(({ name }) => pastPattern.test(name));
  if (past.length === 0) {
    throw unusable(
      'the model has no inputs past_key_values.N.key and .value: export it with its cache (task text-generation-with-past)',
    );
  }
  const logits = outputs.find(({ name }) => name === 'logits');
  if (!logits) throw unusable('the model has no output "logits"');
  if (logits.type !== 'float32' && logits.type !== 'float16') {
    throw unusable(`expected float32 or float16 logits but received ${logits.type}`);
  }
  return past.map((input) => {
    const output = `present.${pastPattern.exec(input.name)![1]}`;
    const found = outputs.find(({ name }) => name === output);
    if (!found) throw unusable(`the model has the input "${input.name}" but no output "${output}"`);
    if (found.type !== input.type) {
      throw unusable(`"${output}" is ${found.type} but "${input.name}" is ${input.type}`);
    }
    return { input, output };
  });
}

/** [1, heads, 0, headDim] */
function emptyPast({ name, type, dims }: ValueInfo, folder: ExportedFolder): Tensor {
  const heads = typeof dims[1] === 'number' ? dims[1] : folder.keyValueHeads;
  const headDim = typeof dims[3] === 'number' ? dims[3] : folder.headDim;
  if (dims.length !== 4 || heads === undefined || headDim === undefined) {
    throw unusable(
      `expected "${name}" to be [batch, heads, pastLength, headDim] with heads and headDim given, here or in config.json, but received [${dims}]`,
    );
  }
  const shape = [1, heads, 0, headDim];
  if (type === 'float32') return new Tensor(type, new Float32Array(0), shape);
  if (type === 'float16') return new Tensor(type, new Uint16Array(0), shape);
  throw unusable(`expected "${name}" to be float32 or float16 but received ${type}`);
}

function row(type: string, values: readonly number[]): Tensor {
  const dims = [1, values.length];
  return type === 'int32'
    ? new Tensor('int32', Int32Array.from(values), dims)
    : new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

/** @param logits [1, tokens, vocabulary], float32 or float16 */
function lastRow({ data, dims }: Tensor): Float32Array {
  const last = data.slice(-dims.at(-1)!);
  if (last instanceof Float32Array) return last;
  // A tensor's JSON has the numbers that the bits stand for.
  return Float32Array.from(new Tensor('float16', last as Uint16Array).toJSON() as number[]);
}
