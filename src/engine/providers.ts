import { readdirSync } from 'node:fs';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { addon } from './addon.js';
import type { ExecutionProviderOptions, SessionOptions } from './sessionOptions.js';

/** Lists of providers to try one after the other, the best first. */
export type Candidates = readonly (readonly (string | ExecutionProviderOptions)[])[];

/** What 'auto' looks for, best first. TensorRT leaves to CUDA the nodes that it has no kernel for. */
const accelerators = [['tensorrt', 'cuda'], ['cuda']];

/** The lists that a session's options allow: one, unless they say 'auto'. */
export function providerCandidates(wanted: SessionOptions['executionProviders']): Candidates {
  if (wanted !== 'auto') return [wanted ?? []];
  const known = addon.runtimeInfo().executionProviders;
  return [...accelerators.filter(([first]) => known.includes(first!)), []];
}

const providerFiles: Partial<Record<string, string>> = {
  cuda: 'libonnxruntime_providers_cuda.so',
  tensorrt: 'libonnxruntime_providers_tensorrt.so',
};

/** The library that the loader looked for, out of its message. */
function missingLibrary(message: string): string | undefined {
  return /([^\s:/]+\.(?:so|dylib)[.\d]*): cannot open shared object file/.exec(message)?.[1];
}

/** ONNX Runtime's words without the place in its source and the status's number. */
function withoutSource(message: string): string {
  return message.replace(/^[\s\S]*?\[ONNXRuntimeError\] : \d+ : \w+ : /, '').trim();
}

/** What to do about a provider that does not load, where that is known. */
function advice(provider: string, message: string): string[] {
  const folder = path.dirname(addon.runtimeInfo().library);
  const files = ['libonnxruntime_providers_shared.so', providerFiles[provider]].filter(
    (file): file is string => file !== undefined,
  );
  const absent = files.filter((file) => !readdirSync(folder).includes(file));
  if (provider in providerFiles && absent.length > 0) {
    return [
      `${absent.join(' and ')} ${absent.length > 1 ? 'are' : 'is'} missing from ${folder}.`,
      'Install the GPU files with: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node',
      '(or set onnxRuntime.library to a GPU build of ONNX Runtime).',
    ];
  }
  const library = missingLibrary(message);
  if (library === undefined) return [];
  const origins: [RegExp, string][] = [
    [/^libcuda\./, 'the NVIDIA driver'],
    [/^libcudnn/, 'cuDNN'],
    [/^libnvinfer|^libnvonnxparser/, 'TensorRT'],
    [/^lib(cudart|cublas|cufft|curand|nvrtc|nvJitLink)/, 'the CUDA toolkit'],
  ];
  const origin = origins.find(([pattern]) => pattern.test(library))?.[1];
  return [
    `${library} is missing${origin ? `: it comes with ${origin}` : ''}.`,
    'Install it, or add its folder to LD_LIBRARY_PATH before the server starts.',
  ];
}

/**
 * Adds to a provider's failure what is missing and how to get it. Other errors stay as they are.
 *
 * @param providers the list that the session was opened with
 */
export function explained(error: unknown, providers: readonly { name: string }[]): unknown {
  if (!(error instanceof CloudEasyMLError)) return error;
  if (error.code === 'provider_unavailable') {
    const [, provider, reason] =
      /^The execution provider "([^"]+)" cannot be used: ([\s\S]*)$/.exec(error.message) ?? [];
    if (provider === undefined || reason === undefined) {
      const known = addon.runtimeInfo().executionProviders.join(', ');
      return unavailable(`${error.message} It has: ${known}.`, error);
    }
    return unavailable(
      [
        `The execution provider "${provider}" cannot be used.`,
        ...advice(provider, reason),
        `ONNX Runtime says: ${withoutSource(reason)}`,
      ].join(' '),
      error,
    );
  }
  // A device that can't be used shows only when the session takes hold of it.
  const device = providers.find(({ name }) => name in providerFiles)?.name;
  if (error.code === 'model_load_failed' && device && /CUDA|cudnn|TensorRT/i.test(error.message)) {
    return unavailable(
      `The execution provider "${device}" cannot be used: ${error.message} Check that the NVIDIA driver and a GPU are there with: nvidia-smi`,
      error,
    );
  }
  return error;
}

function unavailable(message: string, cause: CloudEasyMLError): CloudEasyMLError {
  return new CloudEasyMLError('provider_unavailable', message, {
    path: 'executionProviders',
    cause,
  });
}
