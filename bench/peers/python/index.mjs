import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpusIn } from '../../pinning.mjs';
import { freePort, startServer } from '../../processes.mjs';
import { findPython, virtualEnvironment } from './environment.mjs';

/**
 * @typedef {import('../index.mjs').Peer} Peer
 * @typedef {import('../index.mjs').StartOptions} StartOptions
 *
 * @typedef {object} PythonPeer
 * @property {string} name
 * @property {string} title
 * @property {readonly string[]} packages beside onnxruntime
 * @property {import('../index.mjs').Adapter} [adapt]
 * @property {(options: StartOptions & { port: number, workers: number }) => Command} command
 *
 * @typedef {object} Command
 * @property {string} program of the virtual environment
 * @property {readonly string[]} args
 * @property {string} [readyPath] answers 200 once the server is ready; else the server says where it listens
 */

/** The version of ONNX Runtime that this package runs on, so that only what is around it differs. */
const onnxruntime = 'onnxruntime==1.29.0';

const scripts = fileURLToPath(new URL('.', import.meta.url));

/** @type {(name: string) => string} */
const script = (name) => path.join(scripts, name);

/** The name by which MLServer serves the model. */
const mlserverModel = 'bench';

/** @type {readonly PythonPeer[]} */
const pythonPeers = [
  {
    name: 'fastapiOnnxruntime',
    title: 'FastAPI + onnxruntime',
    packages: ['fastapi==0.165.0', 'uvicorn[standard]==0.54.0'],
    command: ({ port, workers }) => ({
      program: 'uvicorn',
      args: [
        'fastapiOnnxruntime:app',
        ...['--app-dir', scripts, '--port', String(port), '--workers', String(workers)],
        ...['--log-level', 'warning', '--no-access-log'],
      ],
      readyPath: '/ready',
    }),
  },
  {
    name: 'litserve',
    title: 'LitServe + onnxruntime',
    packages: ['litserve==0.2.19'],
    command: () => ({
      program: 'python',
      args: [script('litserveOnnxruntime.py')],
      readyPath: '/health',
    }),
  },
  {
    name: 'bentoml',
    title: 'BentoML + onnxruntime',
    packages: ['bentoml==1.4.39'],
    adapt: {
      request: (url, data) => ({ url: `${url}/predict`, body: JSON.stringify({ data }) }),
      predictions: (answer) => answer,
    },
    command: ({ port }) => ({
      program: 'bentoml',
      args: [
        ...['serve', 'bentomlOnnxruntime:Predictor', '--working-dir', scripts],
        ...['--host', '127.0.0.1', '--port', String(port)],
      ],
      readyPath: '/readyz',
    }),
  },
  {
    name: 'mlserver',
    title: 'MLServer + onnxruntime',
    // Its workers ask for an event loop in a way that later versions of uvloop refuse.
    packages: ['mlserver==1.7.1', 'uvloop==0.21.0'],
    adapt: {
      request: (url, data) => ({
        url: `${url}/v2/models/${mlserverModel}/infer`,
        body: JSON.stringify({
          inputs: [
            {
              name: 'input',
              shape: [data.length, data[0]?.length ?? 0],
              datatype: 'FP32',
              data: data.flat(),
            },
          ],
        }),
      }),
      predictions: ({ outputs: [{ data, shape }] }) => {
        const width = shape[1];
        return Array.from({ length: shape[0] }, (_, row) =>
          data.slice(row * width, (row + 1) * width),
        );
      },
    },
    command: ({ folder, modelFile, port }) => {
      writeMlserverSettings(folder, modelFile, port);
      return {
        program: 'mlserver',
        args: ['start', folder],
        readyPath: `/v2/models/${mlserverModel}/ready`,
      };
    },
  },
  {
    name: 'rayServe',
    title: 'Ray Serve + onnxruntime',
    packages: ['ray[serve]==2.60.0'],
    command: () => ({ program: 'python', args: [script('rayOnnxruntime.py')] }),
  },
];

/** @type {(folder: string, modelFile: string, port: number) => void} */
function writeMlserverSettings(folder, modelFile, port) {
  const settings = { host: '127.0.0.1', http_port: port, debug: false, metrics_endpoint: null };
  const modelSettings = {
    name: mlserverModel,
    implementation: 'mlserverOnnxruntime.OnnxModel',
    parameters: { uri: modelFile },
    max_batch_size: 32,
    max_batch_time: 0.001,
  };
  writeFileSync(path.join(folder, 'settings.json'), JSON.stringify(settings));
  writeFileSync(path.join(folder, 'model-settings.json'), JSON.stringify(modelSettings));
}

/**
 * Installs each peer by pip in a virtual environment of its own.
 *
 * @param {(line: string) => void} progress
 * @returns {Promise<{ peers: Peer[], skipped: import('../index.mjs').SkippedPeer[] }>}
 */
export async function installPythonPeers(progress) {
  const peers = [];
  const skipped = [];
  for (const peer of pythonPeers) {
    const { name, title, adapt } = peer;
    try {
      progress(`installing ${title}, where it isn't yet`);
      const packages = [onnxruntime, ...peer.packages];
      const programs = await virtualEnvironment(await findPython(), name, packages);
      const start = (/** @type {StartOptions} */ options) => startPeer(peer, programs, options);
      peers.push({ name, title, start, ...(adapt && { adapt }) });
    } catch (error) {
      skipped.push({ name, title, reason: /** @type {Error} */ (error).message });
    }
  }
  return { peers, skipped };
}

/** @type {(peer: PythonPeer, programs: string, options: StartOptions) =>
 *   Promise<import('../../processes.mjs').ServerProcess>} */
async function startPeer(peer, programs, options) {
  const { modelFile, folder, cpus } = options;
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const workers = cpus ? cpusIn(cpus).length : availableParallelism();
  const { program, args, readyPath } = peer.command({ ...options, port, workers });
  return startServer(path.join(programs, program), args, {
    cwd: folder,
    cpus,
    env: {
      BENCH_MODEL: modelFile,
      BENCH_PORT: String(port),
      PYTHONPATH: scripts,
      PYTHONDONTWRITEBYTECODE: '1',
      PATH: `${programs}:${process.env.PATH}`,
    },
    ...(readyPath && { readyUrl: `http://127.0.0.1:${port}${readyPath}` }),
  });
}
