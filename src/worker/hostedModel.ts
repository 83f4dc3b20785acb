import type { BatchWorker, NativeBatch } from '../engine/batchWorker.js';
import {
  type BaseModel,
  InputError,
  type PartialPredictionOutput,
  type PredictionInput,
} from '../plugin/baseModel.js';
import { createModel, loadModelClass } from '../plugin/loadPlugin.js';
import { answerJson } from './answerJson.js';
import type { HostedPlugin } from './messages.js';

/** A request of the batch being run: its place in the batch, and its input. */
interface Item {
  index: number;
  input: PredictionInput;
}

/** One deployment's plugin instance on this thread, and the way its batches go. */
export class HostedModel {
  readonly #engine: BatchWorker;
  readonly #model: BaseModel;

  private constructor(engine: BatchWorker, model: BaseModel) {
    this.#engine = engine;
    this.#model = model;
  }

  /**
   * Loads a plugin's class and its model, and asks it whether it is well.
   *
   * @throws whatever the plugin throws
   */
  static async load(engine: BatchWorker, plugin: HostedPlugin): Promise<HostedModel> {
    const model = createModel(await loadModelClass(plugin), plugin, plugin);
    await model.load();
    model.isLoaded = true;
    const health = model.healthCheck();
    if (!health.healthy) {
      throw new Error(`It loaded, but its healthCheck() says: ${health.detail ?? 'not healthy'}`);
    }
    return new HostedModel(engine, model);
  }

  async unload(): Promise<void> {
    await this.#model.unload();
  }

  /**
   * Answers every request of a batch and ends it. Where the plugin's code is synchronous it has done so
   * when it returns; else the promise tells.
   */
  run([batchId, , ...bodies]: NativeBatch): undefined | Promise<void> {
    const items: Item[] = [];
    for (const [index, body] of bodies.entries()) {
      try {
        items.push({ index, input: parseInput(body) });
      } catch (error) {
        this.#fail(batchId, index, error);
      }
    }
    const pending = items.length > 0 ? this.#predict(batchId, items) : undefined;
    if (pending === undefined) {
      this.#engine.finish(batchId);
      return undefined;
    }
    return pending.finally(() => this.#engine.finish(batchId));
  }

  #predict(batchId: number, items: Item[]): undefined | Promise<void> {
    if (!this.#model.predictBatch) return this.#predictEach(batchId, items);
    const started = performance.now();
    const finish = (outputs: unknown) => {
      if (!Array.isArray(outputs) || outputs.length !== items.length) {
        const got = Array.isArray(outputs) ? `${outputs.length}` : typeof outputs;
        throw new Error(
          `predictBatch() must return an array of ${items.length} outputs, one per input; it returned ${got}.`,
        );
      }
      const elapsed = performance.now() - started;
      for (const [i, { index }] of items.entries()) {
        this.#answer(batchId, index, outputs[i], elapsed);
      }
      return undefined;
    };
    // One bad input must not fail the others of its batch: each is tried alone.
    const retry = (error: unknown) => {
      if (items.length > 1) return this.#predictEach(batchId, items);
      this.#fail(batchId, items[0]!.index, error);
      return undefined;
    };
    try {
      const outputs = this.#model.predictBatch(items.map((item) => item.input));
      return isPromise(outputs) ? outputs.then(finish).catch(retry) : finish(outputs);
    } catch (error) {
      return retry(error);
    }
  }

  #predictEach(batchId: number, items: Item[], from = 0): undefined | Promise<void> {
    for (let i = from; i < items.length; i++) {
      const { index, input } = items[i]!;
      const started = performance.now();
      const succeed = (output: PartialPredictionOutput) =>
        this.#answer(batchId, index, output, performance.now() - started);
      const fail = (error: unknown) => this.#fail(batchId, index, error);
      try {
        const output = this.#model.predict(input);
        if (isPromise(output)) {
          return output.then(succeed, fail).then(() => this.#predictEach(batchId, items, i + 1));
        }
        succeed(output);
      } catch (error) {
        fail(error);
      }
    }
    return undefined;
  }

  #answer(
    batchId: number,
    index: number,
    output: PartialPredictionOutput,
    elapsedMs: number,
  ): void {
    try {
      const { body, processingTimeMs } = answerJson(output, elapsedMs);
      this.#engine.succeed(batchId, index, body, processingTimeMs);
    } catch (error) {
      this.#fail(batchId, index, error);
    }
  }

  #fail(batchId: number, index: number, error: unknown): void {
    // By name: a plugin may bring a copy of the class of its own.
    const isInput = error instanceof InputError || (isNamed(error) && error.name === 'InputError');
    const code = isInput
      ? 'invalid_input'
      : error instanceof SyntaxError && error.cause === malformed
        ? 'malformed_json'
        : 'plugin_failed';
    const path = isInput && isNamed(error) && typeof error.path === 'string' ? error.path : '';
    this.#engine.fail(batchId, index, code, messageOf(error), path);
  }
}

const malformed = Symbol('malformed');

function parseInput(body: string): PredictionInput {
  let parsed: { data?: unknown; options?: unknown };
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    throw new SyntaxError(`The body is not valid JSON: ${messageOf(error)}`, { cause: malformed });
  }
  const { data, options = {} } = parsed;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InputError('options', 'Expected an object.');
  }
  return { data, options: options as Record<string, unknown> };
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function';
}

function isNamed(error: unknown): error is { name: string; path?: unknown } {
  return typeof error === 'object' && error !== null && 'name' in error;
}

/** A plugin may throw anything, also what has no text. */
function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'The plugin threw an object that has no message.';
  }
}
