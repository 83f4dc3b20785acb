import { z } from 'zod';
import { type DefinedPlugin, definedModel } from './definedModel.js';
import type { PluginDefinition } from './definition.js';

const anyObject = z.record(z.string(), z.unknown());

/**
 * Makes a plugin of a declaration.
 *
 * @example
 * export default definePlugin({
 *   name: 'network',
 *   version: '1.0.0',
 *   input: tensor('float32', ['batch', 784]),
 *   batch: 'joined',
 *   load: async ({ sessions }) => ({ session: await sessions.create(file) }),
 *   predict: ({ session }, { data }) => session.run({ x: data }).y,
 * });
 */
export function definePlugin<
  InputSchema extends z.ZodType,
  Output,
  State,
  ConfigSchema extends z.ZodType = typeof anyObject,
  OptionsSchema extends z.ZodType = typeof anyObject,
>(
  definition: PluginDefinition<ConfigSchema, InputSchema, OptionsSchema, Output, State>,
): DefinedPlugin<PluginDefinition<ConfigSchema, InputSchema, OptionsSchema, Output, State>> {
  return definedModel(definition);
}
