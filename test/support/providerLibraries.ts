/** Parts of ONNX Runtime that are too large to come with the tests, where their variables name them. */
import { existsSync } from 'node:fs';
import path from 'node:path';

function fromVariable(name: string, what: string): string | undefined {
  const file = process.env[name];
  if (file && existsSync(file)) return file;
  console.log(`${what} is not tested: set ${name} to test it.`);
  return undefined;
}

/** Libraries of execution providers, by the names that the tests give them. */
export const providerLibraries = [
  [
    'openvino',
    fromVariable(
      'CLOUDEASYML_TEST_OPENVINO',
      'libonnxruntime_providers_openvino_plugin.so of PyPI’s onnxruntime-ep-openvino',
    ),
  ],
  [
    'ggml',
    fromVariable('CLOUDEASYML_TEST_GGML', 'libonnxruntime_ggml.so of PyPI’s onnxruntime-ggml'),
  ],
].filter((library): library is [string, string] => library[1] !== undefined);

const sitePackages = fromVariable(
  'CLOUDEASYML_TEST_GPU',
  'CUDA (the site-packages of: pip install "onnxruntime-gpu[cuda,cudnn]==1.29.0")',
);

/** ONNX Runtime's GPU build, and the folders of the CUDA libraries that it needs. */
export const gpuBuild = sitePackages && {
  library: path.join(sitePackages, 'onnxruntime', 'capi', 'libonnxruntime.so.1.29.0'),
  cuda: ['cu13', 'cudnn'].map((name) => path.join(sitePackages, 'nvidia', name, 'lib')),
};
