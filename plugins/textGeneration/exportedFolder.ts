import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InputError } from 'cloudeasyml';
import { z } from 'zod';

/** Where exports have their model, the likeliest first. */
const modelFiles = [
  'model.onnx',
  'onnx/model.onnx',
  'decoder_model_merged.onnx',
  'onnx/decoder_model_merged.onnx',
];

const length = z.int().positive().nullish();
const endIds = z.union([z.int(), z.array(z.int())]).nullish();

/** What a decoder needs of a Hugging Face `config.json`; families of models have names of their own. */
const modelConfigSchema = z.looseObject({
  _name_or_path: z.string().optional(),
  max_position_embeddings: length,
  n_positions: length,
  num_key_value_heads: length,
  num_attention_heads: length,
  n_head: length,
  head_dim: length,
  hidden_size: length,
  n_embd: length,
  eos_token_id: endIds,
});

const generationConfigSchema = z.looseObject({ eos_token_id: endIds });

export interface ExportedFolder {
  name: string;
  modelFile: string;
  tokenizer: Tokenizer;
  contextLength: number;
  endIds: ReadonlySet<number>;
  keyValueHeads: number | undefined;
  headDim: number | undefined;
}

export function unusable(message: string): InputError {
  return new InputError('config.model.path', message);
}

/**
 * Reads a folder as `optimum-cli export onnx` writes it.
 *
 * @throws InputError on `config.model.path` where something is missing or cannot be read
 */
export async function readExportedFolder(folder: string): Promise<ExportedFolder> {
  const found = modelFiles.find((file) => existsSync(path.join(folder, file)));
  if (found === undefined) {
    throw unusable(`expected a model in ${folder}, as ${modelFiles.join(' or ')}, but found none`);
  }
  const file = (name: string) => path.join(folder, name);
  const [config, generation, tokenizerJson, tokenizerConfig] = await Promise.all([
    readJson(file('config.json'), modelConfigSchema),
    readOptionalJson(file('generation_config.json'), generationConfigSchema),
    readJson(file('tokenizer.json'), z.looseObject({})),
    readOptionalJson(file('tokenizer_config.json'), z.looseObject({})),
  ]);
  const heads = config.num_attention_heads ?? config.n_head ?? undefined;
  const width = config.hidden_size ?? config.n_embd ?? undefined;
  const ends = generation.eos_token_id ?? config.eos_token_id ?? [];
  return {
    name: config._name_or_path || path.basename(folder),
    modelFile: file(found),
    tokenizer: new Tokenizer(tokenizerJson, tokenizerConfig),
    contextLength: config.max_position_embeddings ?? config.n_positions ?? Number.POSITIVE_INFINITY,
    endIds: new Set([ends].flat()),
    keyValueHeads: config.num_key_value_heads ?? heads,
    headDim: config.head_dim ?? (width && heads ? width / heads : undefined),
  };
}

async function readJson<Schema extends z.ZodType>(file: string, schema: Schema) {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw unusable(`${file} cannot be used: ${reason}`);
  }
}

async function readOptionalJson<Schema extends z.ZodType>(file: string, schema: Schema) {
  return existsSync(file) ? readJson(file, schema) : schema.parse({});
}
