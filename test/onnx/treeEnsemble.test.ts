import { InferenceSession, Tensor } from 'cloudeasyml';
import { GraphBuilder, type RegressionTree, treeEnsembleRegressor } from 'cloudeasyml/onnx';
import { expect, test } from 'vitest';

async function predict(trees: RegressionTree[], rows: number[][], base?: number) {
  const graph = new GraphBuilder('trees');
  graph.input('x', 'float32', ['batch', rows[0]!.length]);
  const sums = treeEnsembleRegressor(graph, 'x', trees, base);
  graph.node('Identity', [sums], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 1]);
  const session = await InferenceSession.create(graph.toModel());
  const x = new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]);
  const { y } = session.run({ x });
  session.release();
  return Array.from<unknown>(y!.data);
}

test('adds up its trees and the base value', async () => {
  const trees: RegressionTree[] = [
    {
      feature: 1,
      threshold: 3,
      left: { value: 1 },
      right: { feature: 0, threshold: -1, left: { value: 2 }, right: { value: 4 } },
    },
    { value: 8 },
  ];
  const rows = [
    [0, 2],
    [-2, 3],
    [-1, 4],
  ];
  expect(await predict(trees, rows, 16)).toEqual([25, 26, 28]);
});

// None of these thresholds is a float32; the ones next to it on either side have to part there.
test.each([0.1, -0.1, 1 / 3, -1e-30, 1e-46, -1e-46, 16777217, -16777217])(
  'parts float32 rows around %d as float64 would',
  async (threshold) => {
    const step = Math.max(Math.abs(threshold) * 2 ** -24, 1.5e-45);
    const rows = [-2, -1, 0, 1, 2].map((steps) => [Math.fround(threshold + steps * step)]);
    const tree = { feature: 0, threshold, left: { value: 0 }, right: { value: 1 } };
    expect(await predict([tree], rows)).toEqual(rows.map(([x]) => (x! < threshold ? 0 : 1)));
  },
);

test('refuses to write no trees', () => {
  const graph = new GraphBuilder('none');
  graph.input('x', 'float32', ['batch', 1]);
  expect(() => treeEnsembleRegressor(graph, 'x', [])).toThrow(/to have a tree/);
});
