import { expect, test } from 'vitest';
import { InferenceSession } from '../../dist/index.js';
import { GraphBuilder } from '../../dist/onnx/index.js';

function normalizer(locale: string): Uint8Array {
  const graph = new GraphBuilder('normalizer');
  graph.input('x', 'string', ['n']);
  const attributes = { case_change_action: 'LOWER', locale };
  graph.node('StringNormalizer', ['x'], { outputs: ['y'], attributes });
  graph.output('y', 'string', ['n']);
  return graph.toModel();
}

test('a model that needs a locale which the system lacks says how to get it', async () => {
  await expect(InferenceSession.create(normalizer('xx_YY.UTF-8'))).rejects.toMatchObject({
    code: 'model_load_failed',
    message:
      'The model did not load: it changes the case of texts by the locale xx_YY.UTF-8, which this system ' +
      'lacks. Install it, on Debian and Ubuntu with: ' +
      'apt-get install locales && localedef -i xx_YY -f UTF-8 xx_YY.UTF-8',
  });
});
