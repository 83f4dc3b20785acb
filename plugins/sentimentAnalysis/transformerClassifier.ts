import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, InputError, type SessionOptions, Tensor } from 'cloudeasyml';
import { z } from 'zod';
import { floatsOf, padRows, type TextClassifier } from './textClassifier.js';

/** What a classifier needs of a Hugging Face `config.json`. */
const modelConfigSchema = z.looseObject({
  _name_or_path: z.string().optional(),
  id2label: z.record(z.string(), z.string()).optional(),
  problem_type: z.string().nullish(),
  pad_token_id: z.int().nullish(),
});

/** What it needs of a `tokenizer_config.json`, which an export may lack. */
const tokenizerConfigSchema = z.looseObject({ model_max_length: z.number().optional() });

const textInputs = ['input_ids', 'attention_mask', 'token_type_ids'];

async function readJson<Schema extends z.ZodType>(file: string, schema: Schema) {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new InputError('config.model.path', `${file} cannot be used: ${reason}`);
  }
}

/**
 * Serves a sequence classifier that was exported from Hugging Face to a folder with `model.onnx`,
 * `tokenizer.json` and `config.json`, such as `optimum-cli export onnx` writes.
 */
export class TransformerClassifier implements TextClassifier {
  readonly name: string;
  readonly labels: readonly string[];
  readonly exclusive: boolean;
  readonly #session: InferenceSession;
  readonly #tokenizer: Tokenizer;
  readonly #padding: number;
  readonly #maxLength: number;

  private constructor(
    folder: string,
    session: InferenceSession,
    tokenizer: Tokenizer,
    modelConfig: z.output<typeof modelConfigSchema>,
    maxLength: number,
  ) {
    const strange = session.inputs.find(({ name }) => !textInputs.includes(name));
    if (strange) {
      throw new InputError(
        'config.model.path',
        `expected a model with the inputs ${textInputs.join(', ')} or some of them, but it has "${strange.name}" too`,
      );
    }
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#padding = modelConfig.pad_token_id ?? 0;
    this.#maxLength = maxLength;
    this.name = modelConfig._name_or_path || path.basename(folder);
    this.labels = labelsOf(modelConfig, session);
    // A model with a single label scores it by itself, as one of many labels that may hold at once.
    this.exclusive =
      modelConfig.problem_type !== 'multi_label_classification' && this.labels.length > 1;
  }

  /**
   * @param folder the exported folder
   * @param maxLength most tokens of a text that the model sees, the special ones included
   * @throws InputError on `config.model.path` where the folder does not hold such an export
   */
  static async create(
    folder: string,
    maxLength: number,
    options: SessionOptions,
  ): Promise<TransformerClassifier> {
    const modelFile = path.join(folder, 'model.onnx');
    if (!existsSync(modelFile)) {
      throw new InputError('config.model.path', `expected a model at ${modelFile} but found none`);
    }
    const tokenizerConfigFile = path.join(folder, 'tokenizer_config.json');
    const [modelConfig, tokenizerJson, tokenizerConfig] = await Promise.all([
      readJson(path.join(folder, 'config.json'), modelConfigSchema),
      readJson(path.join(folder, 'tokenizer.json'), z.looseObject({})),
      existsSync(tokenizerConfigFile)
        ? readJson(tokenizerConfigFile, tokenizerConfigSchema)
        : tokenizerConfigSchema.parse({}),
    ]);
    const tokenizer = new Tokenizer(tokenizerJson, tokenizerConfig);
    const limit = Math.min(maxLength, tokenizerConfig.model_max_length ?? Number.POSITIVE_INFINITY);
    const session = await InferenceSession.create(modelFile, options);
    try {
      return new TransformerClassifier(folder, session, tokenizer, modelConfig, limit);
    } catch (error) {
      session.release();
      throw error;
    }
  }

  classify(texts: readonly string[]): Float32Array {
    const rows = texts.map((text) => this.#encode(text));
    const { ids, dims } = padRows(rows, this.#padding);
    const mask = padRows(
      rows.map((row) => row.map(() => 1)),
      0,
    ).ids;
    // One text has one segment, numbered 0.
    const contents = new Map([
      ['input_ids', ids],
      ['attention_mask', mask],
      ['token_type_ids', new BigInt64Array(ids.length)],
    ]);
    const feeds: Record<string, Tensor> = {};
    for (const { name, type } of this.#session.inputs) {
      const content = contents.get(name)!;
      feeds[name] =
        type === 'int32'
          ? new Tensor('int32', Int32Array.from(content, Number), dims)
          : new Tensor('int64', content, dims);
    }
    const outputName = logitsName(this.#session);
    return floatsOf(this.#session.run(feeds, [outputName])[outputName]);
  }

  release(): void {
    this.#session.release();
  }

  /** A text's token ids, cut to the limit; the special ones around the text stay. */
  #encode(text: string): number[] {
    const ids: number[] = this.#tokenizer.encode(text).ids;
    const excess = ids.length - this.#maxLength;
    if (excess <= 0) return ids;
    const plain: number[] = this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
    const start = ids.findIndex((_, at) => plain.every((id, offset) => ids[at + offset] === id));
    if (start === -1) return ids.slice(0, this.#maxLength);
    const end = start + plain.length - excess;
    return [...ids.slice(0, end), ...ids.slice(start + plain.length)];
  }
}

function logitsName({ outputs }: InferenceSession): string {
  return outputs.find(({ name }) => name === 'logits')?.name ?? outputs[0]!.name;
}

function labelsOf(
  { id2label }: z.output<typeof modelConfigSchema>,
  session: InferenceSession,
): string[] {
  const name = logitsName(session);
  const width = session.outputs.find((output) => output.name === name)?.dims.at(-1);
  if (id2label) {
    const labels = Object.keys(id2label)
      .sort((a, b) => Number(a) - Number(b))
      .map((id) => id2label[id]!);
    if (typeof width !== 'number' || width === labels.length) return labels;
    throw new InputError(
      'config.model.path',
      `expected ${width} labels in id2label of config.json, as many as the model has, but received ${labels.length}`,
    );
  }
  // Hugging Face leaves id2label out where it is the default one, of two labels.
  return Array.from({ length: typeof width === 'number' ? width : 2 }, (_, id) => `LABEL_${id}`);
}
