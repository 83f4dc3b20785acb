import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { addon } from './addon.js';
import { explainedLocale } from './localeErrors.js';

/** A library that the loader did not find, by its whole name. */
const notFound = /([^\s:/]+\.(?:so|dylib)[.\d]*): cannot open shared object file/;

/** How NVIDIA's libraries report a failure; what follows is the place in ONNX Runtime's source. */
const deviceFailure = /\b((?:CUDA|CUDNN|CUBLAS|CURAND|CUFFT) failure (\d+): [^;]*?) *;/;

/** CUDA's numbers for a driver or a device that can't be used, rather than a model. */
const driverFailures = new Set([3, 34, 35, 36, 46, 100, 101, 802, 803, 804, 999]);

/** What has a missing library. The version is the one in the library's name, where that tells it. */
const origins: readonly [pattern: RegExp, origin: string][] = [
  [/^libcuda\.so/, 'NVIDIA’s driver'],
  [/^libcudnn\S*\.so\.(\d+)/, 'cuDNN'],
  [/^lib(?:nvinfer|nvonnxparser)\S*\.so\.(\d+)/, 'TensorRT'],
  [/^lib(?:cudart|cublas|cublasLt|nvrtc|nvJitLink)\.so\.(\d+)/, 'CUDA'],
  [/^lib(?:cufft|curand)\.so/, 'CUDA'],
];

/**
 * Adds to a failure of a provider or for want of a locale what is missing and how to get it. Other errors stay as they are.
 *
 * @param providers the list that the session was opened with
 */
export function explained(error: unknown, providers: readonly { name: string }[]): unknown {
  if (!(error instanceof CloudEasyMLError)) return error;
  if (error.code === 'provider_unavailable') return explainedProvider(error);
  const [, refusal] = /Error creating execution provider: ([\s\S]*)$/.exec(error.message) ?? [];
  if (refusal !== undefined) {
    return unavailable(
      error,
      `The execution provider "${providers[0]?.name}" cannot be used. It says: ${withoutSource(refusal)}`,
    );
  }
  // A device that can't be used shows only when the session takes hold of it.
  const [, failure, number] = deviceFailure.exec(error.message) ?? [];
  if (error.code !== 'model_load_failed') return error;
  if (failure === undefined) return explainedLocale(error);
  if (!driverFailures.has(Number(number))) {
    const [what] = error.message.split(': ', 1);
    return new CloudEasyMLError('model_load_failed', `${what}: ${failure}.`, { cause: error });
  }
  const provider = providers.find(({ name }) => ['cuda', 'tensorrt'].includes(name))?.name;
  return unavailable(
    error,
    `The execution provider "${provider ?? 'cuda'}" cannot be used.`,
    'NVIDIA’s driver or GPU is missing, or the driver is too old for this build of ONNX Runtime:',
    'nvidia-smi shows the GPUs, and the newest CUDA that the driver serves.',
    `ONNX Runtime says: ${failure}`,
  );
}

function explainedProvider(error: CloudEasyMLError): CloudEasyMLError {
  const [, provider, reason] =
    /^The execution provider "([^"]+)" cannot be used: ([\s\S]*)$/.exec(error.message) ?? [];
  if (provider !== undefined && reason !== undefined) {
    return unavailable(
      error,
      `The execution provider "${provider}" cannot be used.`,
      ...advice(provider, reason),
      `ONNX Runtime says: ${withoutSource(reason)}`,
    );
  }
  if (!error.message.includes('has no execution provider'))
    return unavailable(error, error.message);
  const known = addon.runtimeInfo().executionProviders.join(', ');
  return unavailable(error, error.message, `It has: ${known}.`);
}

/** What to do about a provider that does not load, where that is known. */
function advice(provider: string, reason: string): string[] {
  if (provider === 'webgpu' && reason.includes('adapter')) {
    return ['No GPU has a driver that it can use: on Linux that is Vulkan’s, with libvulkan.so.1.'];
  }
  const library = notFound.exec(reason)?.[1];
  if (library === undefined) return [];
  const { version, library: ours } = addon.runtimeInfo();
  if (library.startsWith('libonnxruntime_providers_')) {
    return [
      `${library} is missing from ${path.dirname(ours)}: this build of ONNX Runtime has no GPU files.`,
      `Get one that has them with: pip install "onnxruntime-gpu[cuda,cudnn]==${version}"`,
      `and set onnxRuntime.library to its onnxruntime/capi/libonnxruntime.so.${version}.`,
    ];
  }
  const [found] = origins.flatMap(([pattern, origin]) => {
    const match = pattern.exec(library);
    return match ? [match[1] ? `${origin} ${match[1]}` : origin] : [];
  });
  const missing = `${library} is missing${found ? `: it comes with ${found}` : ''}.`;
  if (library.startsWith('libcuda.')) {
    return [missing, 'Install the driver; a container gets it from its host, with --gpus all.'];
  }
  return [missing, 'Install it, or add its folder to LD_LIBRARY_PATH before the server starts.'];
}

/** ONNX Runtime's words without the place in its source, the condition there and the status's number. */
function withoutSource(message: string): string {
  return message
    .replace(/^[\s\S]*?\[ONNXRuntimeError\] : \d+ : \w+ : /, '')
    .replace(/^\/\S+:\d+ [\s\S]*? was false\. /, '')
    .trim();
}

function unavailable(cause: CloudEasyMLError, ...sentences: string[]): CloudEasyMLError {
  return new CloudEasyMLError('provider_unavailable', sentences.join(' '), {
    path: 'executionProviders',
    cause,
  });
}
