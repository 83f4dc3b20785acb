import type { PredictionContext } from '../baseModel.js';
import type { PluginDefinition, TypedInput } from './definition.js';
import { joinRequests, splitAnswer, type TensorData } from './joinedRequests.js';

// biome-ignore lint/suspicious/noExplicitAny: the definition's own types were checked where it was written
type AnyDefinition = PluginDefinition<any, any, any, any, any>;
type Input = TypedInput<unknown, unknown>;

/** Answers checked requests of one batch: an output or an Error for each, in their order. */
export type BatchRunner = (
  state: unknown,
  inputs: readonly Input[],
  contexts: readonly PredictionContext[],
) => unknown[] | Promise<readonly unknown[]> | readonly unknown[];

/** How a definition answers a batch; undefined where it takes requests one by one. */
export function batchRunner(definition: AnyDefinition): BatchRunner | undefined {
  if (definition.predictBatch) {
    return (state, inputs, contexts) => definition.predictBatch!(state, inputs, contexts);
  }
  if (definition.predictItems) return itemRunner(definition);
  if (definition.batch === 'joined') return joinedRunner(definition);
  return undefined;
}

/** Every item of every request in one list. */
function itemRunner({ predictItems }: AnyDefinition): BatchRunner {
  return async (state, inputs) => {
    const lists = inputs.map(({ data }) => (Array.isArray(data) ? data : [data]));
    const items = inputs.flatMap(({ options }, index) =>
      lists[index]!.map((data) => ({ data, options })),
    );
    const results = await predictItems!(state, items);
    if (results.length !== items.length) {
      throw new Error(
        `predictItems() must return ${items.length} results, one per item; it returned ${results.length}.`,
      );
    }
    let from = 0;
    return inputs.map(({ data }, index) => {
      const own = results.slice(from, from + lists[index]!.length);
      from += own.length;
      // A request with an item that failed has failed: there is no place for a half of an answer.
      const failed = own.find((result) => result instanceof Error);
      if (failed) return failed;
      return Array.isArray(data) ? own : own[0];
    });
  };
}

/** Requests with the same options and shapes in one call. */
function joinedRunner({ predict }: AnyDefinition): BatchRunner {
  return async (state, inputs, contexts) => {
    const outputs = new Array<unknown>(inputs.length);
    const alone = (index: number) => predict!(state, inputs[index]!, contexts[index]!);
    for (const group of byOptions(inputs)) {
      const requests = group.map((index) => inputs[index]!.data as TensorData);
      const joined = group.length > 1 ? joinRequests(requests) : undefined;
      if (!joined) {
        for (const index of group) outputs[index] = await alone(index);
        continue;
      }
      const first = group[0]!;
      const answer = await predict!(state, { ...inputs[first]!, data: joined }, contexts[first]!);
      for (const [place, own] of splitAnswer(answer, requests).entries()) {
        outputs[group[place]!] = own;
      }
    }
    return outputs;
  };
}

function byOptions(inputs: readonly Input[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [index, { options }] of inputs.entries()) {
    const key = JSON.stringify(options);
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  }
  return [...groups.values()];
}
