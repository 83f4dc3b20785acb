// A server in a process of its own, with a small model deployed for two users.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GraphBuilder } from '../../dist/onnx/index.js';
import { root } from '../cmake.mjs';

const adminKey = 'the-key-of-the-floods-admin';

/** x: [batch, 4] → y = softmax(x): [batch, 4] */
function classifier() {
  const graph = new GraphBuilder('classifier');
  const x = graph.input('x', 'float32', ['batch', 4]);
  graph.node('Softmax', [x], { outputs: ['y'], attributes: { axis: -1n } });
  graph.output('y', 'float32', ['batch', 4]);
  return graph.toModel();
}

/** @returns {Promise<string>} its URL */
function listening(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const url = /listens on (http:\S+)/.exec(output)?.[1];
        if (url) resolve(url);
        // Its log would grow with every flood.
        output = output.slice(-2000);
      });
    }
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
  });
}

async function post(url, pathname, key, body) {
  const answer = await fetch(url + pathname, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${pathname}: ${await answer.text()}`);
  return answer.json();
}

/** A user with a deployment of its own. */
async function addUser(url, userId) {
  const permissions = ['predict', 'deploy', 'usage', 'keys'];
  const { apiKey } = await post(url, '/api-keys', adminKey, { name: userId, userId, permissions });
  const { deployment } = await post(url, '/deployments', apiKey, { modelName: 'classifier' });
  return { url: new URL(url), key: apiKey, deploymentId: deployment.deploymentId };
}

/** Starts it. `peakBytes()` is the most memory that it had resident so far. */
export async function startServer() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'cloudeasyml-floods-'));
  const model = path.join(folder, 'plugins', 'classifier');
  mkdirSync(model, { recursive: true });
  writeFileSync(path.join(model, 'model.onnx'), classifier());
  const child = spawn(process.execPath, [path.join(root, 'dist/cli/main.js'), 'serve'], {
    cwd: folder,
    env: {
      ...process.env,
      CLOUDEASYML_PORT: '0',
      CLOUDEASYML_ADMIN_KEY: adminKey,
      CLOUDEASYML_PLUGINS: path.join(folder, 'plugins'),
      CLOUDEASYML_DATA: path.join(folder, 'data'),
    },
  });
  const url = await listening(child);
  return {
    user: await addUser(url, 'ada'),
    attacker: await addUser(url, 'mallory'),
    peakBytes: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+)/.exec(status)[1]) * 1024;
    },
    stop: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
