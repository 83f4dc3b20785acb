import { z } from 'zod';
import {
  BaseModel,
  type PartialModelMetadata,
  type PartialPredictionOutput,
  type PredictionContext,
  type PredictionInput,
  type StreamContext,
  type TrainingResult,
} from '../baseModel.js';
import { modelDirectory } from '../modelDirectory.js';
import { batchRunner } from './batches.js';
import { checkedValue } from './checkedValue.js';
import { Answer, type PluginDefinition, type TypedInput } from './definition.js';
import { SessionPool } from './sessionPool.js';

// biome-ignore lint/suspicious/noExplicitAny: the definition's own types were checked where it was written
type AnyDefinition = PluginDefinition<any, any, any, any, any>;
type Input = TypedInput<unknown, unknown>;

/** The class that a definition makes, which the server serves like one that was written by hand. */
export interface DefinedPlugin<Definition = AnyDefinition> {
  new (config: Record<string, unknown>): BaseModel;
  readonly definition: Definition;
}

const anyOptions = z.record(z.string(), z.unknown());

/** Makes the class of a definition. */
export function definedModel<Definition extends AnyDefinition>(
  definition: Definition,
): DefinedPlugin<Definition> {
  const { input: item, options: optionsSchema = anyOptions } = definition;
  const inputSchema = definition.predictItems ? z.union([item, z.array(item)]) : item;
  const runBatch = batchRunner(definition);

  const checked = ({ data, options, contentType }: PredictionInput): Input => ({
    data: checkedValue(inputSchema, data, 'data'),
    options: checkedValue(optionsSchema, options, 'options'),
    ...(contentType !== undefined && { contentType }),
  });

  class DefinedModel extends BaseModel {
    static readonly definition = definition;
    #sessions: SessionPool | undefined;
    #state: unknown;

    getMetadata(): PartialModelMetadata {
      return metadataOf(definition);
    }

    async load(): Promise<void> {
      const config = this.#checkedConfig();
      this.#sessions = new SessionPool(this.sessionOptions);
      try {
        this.#state = await definition.load({ config, sessions: this.#sessions, log: this.logger });
      } catch (error) {
        this.#sessions.release();
        throw error;
      }
      this.isLoaded = true;
    }

    predict(input: PredictionInput, context: PredictionContext) {
      if (definition.predict && !definition.predictItems) {
        return then(definition.predict(this.#state, checked(input), context), outputOf);
      }
      return then(runBatch!(this.#state, [checked(input)], [context]), ([output]) => {
        if (output instanceof Error) throw output;
        return outputOf(output);
      });
    }

    batch(inputs: PredictionInput[], contexts: readonly PredictionContext[] = []) {
      const outputs = new Array<PartialPredictionOutput | Error>(inputs.length);
      const good: number[] = [];
      const checkedInputs: Input[] = [];
      for (const [index, input] of inputs.entries()) {
        try {
          checkedInputs.push(checked(input));
          good.push(index);
        } catch (error) {
          outputs[index] = error as Error;
        }
      }
      const fill = (results: readonly unknown[]) => {
        for (const [place, index] of good.entries()) {
          const result = results[place];
          outputs[index] = result instanceof Error ? result : outputOf(result);
        }
        return outputs;
      };
      if (good.length === 0) return outputs;
      const own = good.map((index) => contexts[index]!);
      return then(runBatch!(this.#state, checkedInputs, own), fill);
    }

    async *streamed(inputs: AsyncIterable<PredictionInput>, context: StreamContext) {
      const options = checkedValue(optionsSchema, context.options, 'options');
      const typed = { ...context, options };
      for await (const output of definition.stream!(this.#state, checkedEach(inputs), typed)) {
        yield outputOf(output);
      }
    }

    train(trainingData: unknown, settings: Record<string, unknown>) {
      if (!definition.train) {
        return { status: `${definition.name} is ready as it is: there is nothing to train.` };
      }
      const config = this.#checkedConfig();
      const directory = modelDirectory(definition.name);
      return definition.train(trainingData, {
        config,
        settings,
        directory,
        log: this.logger,
      }) as TrainingResult;
    }

    override async unload(): Promise<void> {
      try {
        await definition.unload?.(this.#state);
      } finally {
        this.#state = undefined;
        this.#sessions?.release();
        await super.unload();
      }
    }

    #checkedConfig(): unknown {
      const { config } = definition;
      return config ? checkedValue(config, this.config, 'config') : this.config;
    }
  }

  async function* checkedEach(inputs: AsyncIterable<PredictionInput>): AsyncGenerator<Input> {
    for await (const input of inputs) yield checked(input);
  }

  // The server asks a model for what it has: a method that is not defined must not be there.
  const { prototype } = DefinedModel;
  if (runBatch) prototype.predictBatch = prototype.batch;
  if (definition.stream) prototype.stream = prototype.streamed;
  return DefinedModel as unknown as DefinedPlugin<Definition>;
}

function metadataOf(definition: AnyDefinition): PartialModelMetadata {
  const { name, version, description, author, createdAt, tags, requirements } = definition;
  const { gpuRequired, minMemoryGb, estimatedCostPerRequest } = definition;
  const given = {
    description,
    author,
    createdAt,
    tags,
    requirements,
    gpuRequired,
    minMemoryGb,
    estimatedCostPerRequest,
  };
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return { name, version, ...Object.fromEntries(known) };
}

function outputOf(output: unknown): PartialPredictionOutput {
  if (output instanceof Answer) return output;
  return { predictions: output };
}

/** Goes on with a value, at once where it is no promise: synchronous plugins stay synchronous. */
function then<From, To>(value: From | Promise<From>, next: (value: From) => To): To | Promise<To> {
  return value instanceof Promise ? value.then(next) : next(value);
}
