import { execFileSync } from 'node:child_process';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { expect, test } from 'vitest';
import { isSanitized } from '../support/serverProcess.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const { header } = process.report.getReport() as unknown as {
  header: { glibcVersionRuntime?: string };
};

/** Opens a model and prints how much of its size is in memory once that has settled. */
const script = `
  import { readFileSync, statSync } from 'node:fs';
  import { InferenceSession } from 'cloudeasyml';
  const resident = () => Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096;
  const before = resident();
  const session = await InferenceSession.create(process.argv[1]);
  const size = statSync(process.argv[1]).size;
  let least = Infinity;
  for (let reading = 0; reading < 100 && least > 2.5; reading++) {
    least = Math.min(least, (resident() - before) / size);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.log(least);
  session.release();`;

test.skipIf(isSanitized || !header.glibcVersionRuntime)(
  'what loading a model leaves behind goes back to the system',
  () => {
    const model = writeIn(folder, 'model.onnx', deepModel());
    const output = execFileSync(
      process.execPath,
      ['--input-type=module', '--eval', script, model],
      { encoding: 'utf8' },
    );
    expect(Number(output)).toBeLessThan(2.5);
  },
);

/** 100 convolutions, whose weights are laid out anew when the model is loaded. */
function deepModel(): Uint8Array {
  const channels = 128;
  const graph = new GraphBuilder('deep');
  let value = graph.input('x', 'float32', [1, channels, 8, 8]);
  for (let layer = 0; layer < 100; layer++) {
    const weights = Float32Array.from({ length: channels ** 2 * 9 }, (_, i) => Math.sin(i + layer));
    const dims = [channels, channels, 3, 3];
    const name = graph.constant(`weights${layer}`, 'float32', dims, weights);
    value = graph.node('Conv', [value, name], { attributes: { pads: [1n, 1n, 1n, 1n] } });
  }
  graph.output(value, 'float32', [1, channels, 8, 8]);
  return graph.toModel();
}
