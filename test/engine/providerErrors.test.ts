import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { explained } from '../../dist/engine/providerErrors.js';
import { ensureRuntimeStarted } from '../../dist/engine/runtime.js';
import { CloudEasyMLError, type ErrorCode } from '../../dist/errors.js';
import { softmaxClassifier } from '../support/onnxModels.js';
import { gpuBuild } from '../support/providerLibraries.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const inSource =
  '/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1988 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : ';
const cudaCall =
  'std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true; SUCCTYPE = cudaError; std::conditional_t<THRW, void, common::Status> = void] ';

/** How the engine words what ONNX Runtime said of a provider. */
const ofProvider = (provider: string, words: string) =>
  [
    'provider_unavailable',
    `The execution provider "${provider}" cannot be used: ${words}`,
  ] as const;

/** How it words what ONNX Runtime said while it loaded a model. */
const ofModel = (words: string) =>
  ['model_load_failed', `The model did not load: ${words}`] as const;

const cudaFailure = (number: number, text: string) =>
  ofModel(
    `/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 ${cudaCall}/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:146 ${cudaCall}CUDA failure ${number}: ${text} ; GPU=-1 ; hostname=vm ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=345 ; expr=cudaSetDevice(info_.device_id); \n\n`,
  );

function notLoaded(library: string, cause: string): string {
  return `${inSource}Failed to load library /opt/ort/${library} with error: ${cause}: cannot open shared object file: No such file or directory\n`;
}

function explanation([code, message]: readonly [ErrorCode, string], ...providers: string[]) {
  ensureRuntimeStarted();
  const error = new CloudEasyMLError(code, message);
  return explained(
    error,
    providers.map((name) => ({ name })),
  ) as CloudEasyMLError;
}

describe('what ONNX Runtime said is explained', () => {
  test.each([
    [
      'no GPU files',
      ofProvider(
        'cuda',
        notLoaded(
          'libonnxruntime_providers_shared.so',
          '/opt/ort/libonnxruntime_providers_shared.so',
        ),
      ),
      /^The execution provider "cuda" cannot be used\. libonnxruntime_providers_shared\.so is missing from \/.*: this build of ONNX Runtime has no GPU files\. Get one that has them with: pip install "onnxruntime-gpu\[cuda,cudnn\]==1\.\d+\.\d+" and set onnxRuntime\.library to/,
    ],
    [
      'no CUDA',
      ofProvider('cuda', notLoaded('libonnxruntime_providers_cuda.so', 'libcublasLt.so.13')),
      /libcublasLt\.so\.13 is missing: it comes with CUDA 13\. Install it, or add its folder to LD_LIBRARY_PATH/,
    ],
    [
      'no CUDA, by a library with a version of its own',
      ofProvider('cuda', notLoaded('libonnxruntime_providers_cuda.so', 'libcurand.so.10')),
      /libcurand\.so\.10 is missing: it comes with CUDA\. Install/,
    ],
    [
      'no cuDNN',
      ofProvider('cuda', notLoaded('libonnxruntime_providers_cuda.so', 'libcudnn.so.9')),
      /libcudnn\.so\.9 is missing: it comes with cuDNN 9\./,
    ],
    [
      'no TensorRT',
      ofProvider('tensorrt', notLoaded('libonnxruntime_providers_tensorrt.so', 'libnvinfer.so.10')),
      /^The execution provider "tensorrt" cannot be used\. libnvinfer\.so\.10 is missing: it comes with TensorRT 10\./,
    ],
    [
      'no driver',
      ofProvider('cuda', notLoaded('libonnxruntime_providers_cuda.so', 'libcuda.so.1')),
      /libcuda\.so\.1 is missing: it comes with NVIDIA’s driver\. Install the driver; a container gets it from its host, with --gpus all\./,
    ],
    [
      'an old driver',
      cudaFailure(35, 'CUDA driver version is insufficient for CUDA runtime version'),
      /the driver is too old .*ONNX Runtime says: CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version$/,
    ],
    [
      'no GPU',
      cudaFailure(100, 'no CUDA-capable device is detected'),
      /GPU is missing.*: CUDA failure 100: no CUDA-capable device is detected$/,
    ],
    [
      'no Vulkan',
      ofProvider(
        'webgpu',
        '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:100 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
      ),
      /No GPU has a driver that it can use: .*Vulkan.* ONNX Runtime says: Failed to get a WebGPU adapter: No supported adapters$/,
    ],
    [
      'a library of its own that refuses its options',
      ofModel(
        '/onnxruntime_src/onnxruntime/core/session/plugin_ep/ep_plugin_provider_interfaces.cc:70 virtual std::unique_ptr<onnxruntime::IExecutionProvider> onnxruntime::PluginExecutionProviderFactory::CreateProvider(const OrtSessionOptions&, const OrtLogger&) Error creating execution provider: [ONNXRuntimeError] : 11 : EP_FAIL : ggml: device=gpu requested but no gpu backend is available\n',
      ),
      /^The execution provider "cuda" cannot be used\. It says: ggml: device=gpu requested but no gpu backend is available$/,
    ],
  ])('%s', (_, said, expected) => {
    const error = explanation(said, 'cuda', 'cpu');
    expect(error).toMatchObject({ code: 'provider_unavailable', path: 'executionProviders' });
    expect(error.message).toMatch(expected);
    expect(error.message).not.toMatch(/onnxruntime_src|std::/);
  });

  test('a GPU without memory left for the model is the model’s failure', () => {
    const error = explanation(cudaFailure(2, 'out of memory'), 'cuda', 'cpu');
    expect(error).toMatchObject({
      code: 'model_load_failed',
      message: 'The model did not load: CUDA failure 2: out of memory.',
    });
  });

  test('a model that does not load is not blamed on its provider', () => {
    const said = [
      'model_load_failed',
      'The model "/srv/CUDA/tensorrt.onnx" did not load: Protobuf parsing failed.',
    ] as const;
    expect(explanation(said, 'cuda', 'cpu')).toMatchObject({ code: said[0], message: said[1] });
  });
});

const hasDriver = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib/wsl/lib'].some((library) =>
  existsSync(path.join(library, 'libcuda.so.1')),
);
if (hasDriver) console.log('A missing driver is not tested: this machine has one.');

describe.skipIf(!gpuBuild || hasDriver)(
  'ONNX Runtime’s GPU build on a machine without a GPU',
  () => {
    const { library, cuda } = gpuBuild || { library: '', cuda: [] };
    const model = writeIn(folder, 'model.onnx', softmaxClassifier());

    /** What a process with these folders on its library path says of CUDA. */
    function refusal(...folders: string[]): string {
      const script = `
      import { configureRuntime, InferenceSession } from 'cloudeasyml';
      configureRuntime({ library: ${JSON.stringify(library)} });
      try {
        InferenceSession.createSync(${JSON.stringify(model)}, { executionProviders: ['cuda'] });
      } catch ({ code, message }) {
        console.log(code + ': ' + message);
      }
      const auto = InferenceSession.createSync(${JSON.stringify(model)}, { executionProviders: 'auto' });
      console.log(auto.executionProviders.join());`;
      const env = { ...process.env, LD_LIBRARY_PATH: folders.join(':') };
      return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        env,
        encoding: 'utf8',
      });
    }

    test('names the CUDA library that is missing, and auto takes the CPU', () => {
      expect(refusal()).toMatch(
        /^provider_unavailable: .*libcublasLt\.so\.\d+ is missing: it comes with CUDA \d+\..*\ncpu\n$/,
      );
    });

    test('names the driver, where that is all that is missing', () => {
      expect(refusal(...cuda)).toMatch(
        /^provider_unavailable: .*libcuda\.so\.1 is missing: it comes with NVIDIA’s driver\..*\ncpu\n$/,
      );
    });

    test.skipIf(!hasCompiler())('says that a driver is too old', () => {
      const stub = path.join(folder, 'driver');
      mkdirSync(stub);
      const file = path.join(stub, 'libcuda.so.1');
      execFileSync('gcc', [
        '-shared',
        '-Wl,-soname,libcuda.so.1',
        '-o',
        file,
        '-x',
        'c',
        '/dev/null',
      ]);
      expect(refusal(...cuda, stub)).toMatch(
        /^provider_unavailable: .*driver is too old.* ONNX Runtime says: CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version\ncpu\n$/,
      );
    });
  },
);

function hasCompiler(): boolean {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('An old driver is not tested: there is no gcc to make a stub of it with.');
    return false;
  }
}
