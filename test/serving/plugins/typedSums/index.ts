import { type DefinedPlugin, definePlugin, type InferenceSession, tensor } from 'cloudeasyml';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { z } from 'zod';

let runs: number[] = [];

/** Sums each row of three, by a model. */
const plugin: DefinedPlugin = definePlugin({
  name: 'typedSums',
  version: '1.0.0',
  estimatedCostPerRequest: 0.25,
  config: z.object({ factor: z.number().default(1) }),
  input: tensor('float32', ['batch', 3]),
  options: z.object({ tellRuns: z.boolean().default(false) }),
  batch: 'joined',
  async load({ config, sessions }): Promise<{ session: InferenceSession }> {
    runs = [];
    const graph = new GraphBuilder('sums');
    const x = graph.input('x', 'float32', ['batch', 3]);
    const factor = graph.constant(
      'factor',
      'float32',
      [3, 1],
      Float32Array.of(1, 1, 1).fill(config.factor),
    );
    graph.node('MatMul', [x, factor], { outputs: ['y'] });
    graph.output('y', 'float32', ['batch', 1]);
    return { session: await sessions.create(graph.toModel()) };
  },
  predict({ session }, { data, options }) {
    runs.push(data.dims[0]!);
    if (options.tellRuns) throw new Error(`runs: ${runs.join()}`);
    return session.run({ x: data }).y!;
  },
});
export default plugin;
