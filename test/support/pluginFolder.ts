import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../plugin/temporaryFolder.js';

const bundled = fileURLToPath(new URL('../../plugins', import.meta.url));
const made = fileURLToPath(new URL('../serving/plugins', import.meta.url));

/** A model without code: the bytes of its model.onnx, its config.yaml, and what else lies beside them. */
export interface ModelFiles {
  model: Uint8Array;
  config?: string;
  others?: Record<string, string | Uint8Array>;
}

/**
 * A folder of plugins, gone after the tests of the file that made it.
 *
 * @param plugins names of bundled plugins and of those below test/serving/plugins
 * @param models models without code, by name
 */
export async function pluginFolder(
  plugins: readonly string[],
  models: Record<string, ModelFiles> = {},
): Promise<string> {
  const files: Record<string, string | Uint8Array> = {};
  for (const [name, { model, config, others = {} }] of Object.entries(models)) {
    files[`${name}/model.onnx`] = model;
    if (config !== undefined) files[`${name}/config.yaml`] = config;
    for (const [other, content] of Object.entries(others)) files[`${name}/${other}`] = content;
  }
  const folder = await temporaryFolder(files);
  for (const name of plugins) {
    const source = bundledNames.includes(name) ? bundled : made;
    await symlink(path.join(source, name), path.join(folder, name));
  }
  return folder;
}

const bundledNames = [
  'housingCrisis',
  'irisClassification',
  'sentimentAnalysis',
  'textGeneration',
  'textRecognition',
  'voiceActivity',
];
