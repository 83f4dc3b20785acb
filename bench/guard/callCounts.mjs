import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startTuningServer } from '../../dist/tuning/tuningServer.js';
import { mlp, sampleRows, softmax, writeModel } from '../models/index.mjs';
import { difference, readCallTable } from './callTable.mjs';
import { buildTool } from './tools.mjs';

/**
 * Per request, on a real server with one worker.
 *
 * @typedef {object} CallCounts
 * @property {string} script
 * @property {number} connections
 * @property {ThreadCounts} frontEnd the thread with the sockets
 * @property {ThreadCounts} worker
 *
 * @typedef {object} ThreadCounts
 * @property {number} entries calls of JavaScript into the engine
 * @property {number} napiCalls calls of the engine to Node-API
 * @property {number} allocations of native memory by all code of the thread; JavaScript's objects are not among them
 * @property {number} engineAllocations those by the engine
 * @property {number} onnxRuntimeAllocations those by ONNX Runtime
 * @property {number} wakeUps of other threads by the engine
 * @property {number} bytesCopied by the engine with memcpy() and memmove()
 */

const connectionCounts = [1, 64];
const warmUpRequests = 2000;
const requests = 8000;

const addon = 'cloudeasyml.node';
const runtime = 'libonnxruntime.so.1';
const allocators = new Set([
  'malloc',
  'calloc',
  'realloc',
  'memalign',
  'aligned_alloc',
  'posix_memalign',
]);
// Other libraries' operator new ends in malloc(), called by libstdc++.
const isNew = (/** @type {string} */ name) => /^_Zn[wa]m/.test(name);
// The engine appends to its strings by libstdc++, where hardly anybody else copies.
const engineCopiers = new Set([addon, 'libstdc++.so.6']);

/** @type {(calls: import('./callTable.mjs').CallCount[], requests: number) => ThreadCounts} */
function countsOf(calls, count) {
  /** @type {(wanted: (call: import('./callTable.mjs').CallCount) => boolean) => number} */
  const sum = (wanted) =>
    calls.filter(wanted).reduce((total, each) => total + each.calls, 0) / count;
  const allocates = (/** @type {string} */ name) => allocators.has(name) || isNew(name);
  return {
    entries: sum((call) => call.caller === addon && call.function === 'napi_get_cb_info'),
    napiCalls: sum((call) => call.caller === addon && call.function.startsWith('napi_')),
    allocations: sum((call) => allocators.has(call.function)),
    engineAllocations: sum((call) => call.caller === addon && allocates(call.function)),
    onnxRuntimeAllocations: sum((call) => call.caller === runtime && allocates(call.function)),
    wakeUps: sum(
      (call) =>
        call.caller === addon &&
        (call.function === 'write' || call.function === 'napi_call_threadsafe_function'),
    ),
    bytesCopied:
      calls
        .filter(
          (call) => engineCopiers.has(call.caller) && ['memcpy', 'memmove'].includes(call.function),
        )
        .reduce((total, each) => total + each.amount, 0) / count,
  };
}

/**
 * Serves a fixed number of requests and counts the calls between the server's libraries.
 *
 * @param {string} folder for models and counts
 * @returns {Promise<CallCounts[]>}
 */
export async function countCalls(folder) {
  const counter = await buildTool('callCounter');
  const results = [];
  for (const model of [softmax, mlp]) {
    const plugin = path.join(folder, 'plugins', model.name);
    mkdirSync(plugin, { recursive: true });
    copyFileSync(writeModel(model, folder).model, path.join(plugin, 'model.onnx'));
    const table = path.join(folder, `${model.name}.calls`);
    closeSync(openSync(table, 'w'));
    const server = await startTuningServer({
      plugin: { name: model.name, directory: plugin },
      env: {
        CALL_COUNTS: table,
        LD_AUDIT: counter,
        CLOUDEASYML_WORKERS: '1',
        CLOUDEASYML_ONNX_RUNTIME_INTRA_OP_THREADS: '1',
      },
    });
    try {
      const id = await server.deploy({});
      const url = `${server.url}/predict/${id}`;
      const body = JSON.stringify({ data: sampleRows(model, 1, 11) });
      for (const connections of connectionCounts) {
        await send(url, server.apiKey, body, connections, warmUpRequests);
        const before = readCallTable(readFileSync(table));
        await send(url, server.apiKey, body, connections, requests);
        const threads = difference(before, readCallTable(readFileSync(table)));
        results.push({
          script: model.title,
          connections,
          ...roles(threads, server.pid, requests),
        });
      }
    } finally {
      await server.stop();
    }
  }
  return results;
}

/**
 * @param {import('./callTable.mjs').ThreadCalls[]} threads
 * @param {number} pid
 * @param {number} count of requests
 */
function roles(threads, pid, count) {
  const counted = threads.map(({ id, calls }) => ({ id, ...countsOf(calls, count) }));
  const frontEnd = counted.find(({ id }) => id === pid);
  // It asks for batches now and then even where the front end runs them all.
  const [worker] = counted.filter(({ id }) => id !== pid).sort((a, b) => b.napiCalls - a.napiCalls);
  if (!frontEnd || !worker || worker.napiCalls === 0) {
    throw new Error('The call counter saw no worker: the linker did not load it.');
  }
  const { id: _, ...front } = frontEnd;
  const { id: __, ...back } = worker;
  return { frontEnd: front, worker: back };
}

/**
 * @param {string} url
 * @param {string} key
 * @param {string} body
 * @param {number} connections
 * @param {number} count
 */
async function send(url, key, body, connections, count) {
  const { default: autocannon } = await import('autocannon');
  const result = await autocannon({
    url,
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
    connections,
    amount: count,
  });
  if (result['2xx'] !== count) {
    throw new Error(`Of ${count} requests ${result['2xx']} were answered with 200.`);
  }
}
