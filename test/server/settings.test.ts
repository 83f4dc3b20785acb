import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CloudEasyMLError } from '../../dist/errors.js';
import { loadSettings } from '../../dist/settings/loadSettings.js';
import { settingsHelp, settingsTable } from '../../dist/settings/settingsTable.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

let directory: string;
beforeEach(() => {
  directory = temporaryFolder();
});

function load(yaml: string, env: Record<string, string> = {}, args: string[] = [], cores = 8) {
  if (yaml) writeFileSync(path.join(directory, 'config.yaml'), yaml);
  return loadSettings({ directory, env, args, cores });
}

function failure(yaml: string, env: Record<string, string> = {}, args: string[] = []) {
  try {
    load(yaml, env, args);
  } catch (error) {
    expect(error).toBeInstanceOf(CloudEasyMLError);
    expect((error as CloudEasyMLError).code).toBe('invalid_settings');
    return error as CloudEasyMLError;
  }
  throw new Error('the settings were taken');
}

describe('settings', () => {
  it('have defaults that leave a core to the event loop', () => {
    const { settings, warnings } = load('');
    expect(settings).toEqual({
      port: 8000,
      host: '127.0.0.1',
      plugins: [path.join(directory, 'plugins')],
      data: path.join(directory, 'data'),
      workers: 7,
      bodyLimit: 16 * 1024 * 1024,
      answerLimit: 64 * 1024 * 1024,
      maxHeldBytes: 512 * 1024 * 1024,
      idleTimeout: 120,
      maxInFlight: 1024,
      maxSockets: 16_384,
      maxSocketsPerKey: 1024,
      maxBufferedBytes: 1024 * 1024,
      requestTimeoutMs: 30_000,
      drainTimeoutMs: 10_000,
      cors: [],
      serverTiming: false,
      logLevel: 'info',
      onnxRuntime: {
        providerLibraries: {},
        intraOpThreads: 1,
        interOpThreads: 1,
        spinning: false,
      },
    });
    expect(warnings).toEqual([]);
    expect(load('', {}, [], 1).settings.workers).toBe(1);
  });

  it('come from config.yaml, then the environment, then flags, each leaf on its own', () => {
    const yaml = [
      'port: 1001',
      'host: from-file',
      'workers: 2',
      'onnxRuntime:',
      '  interOpThreads: 2',
      '  spinning: true',
    ].join('\n');
    const env = {
      CLOUDEASYML_PORT: '1002',
      CLOUDEASYML_HOST: 'from-env',
      CLOUDEASYML_ONNX_RUNTIME_SPINNING: 'false',
      CLOUDEASYML_LOG_LEVEL: '',
    };
    const { settings } = load(yaml, env, ['--port', '1003', '--drain-timeout-ms=5']);
    expect(settings.port).toBe(1003);
    expect(settings.host).toBe('from-env');
    expect(settings.workers).toBe(2);
    expect(settings.drainTimeoutMs).toBe(5);
    expect(settings.logLevel).toBe('info');
    expect(settings.onnxRuntime).toMatchObject({ interOpThreads: 2, spinning: false });
  });

  it('read lists, and paths from the folder of config.yaml', () => {
    const { settings } = load('', {
      CLOUDEASYML_PLUGINS: 'plugins:/opt/more',
      CLOUDEASYML_CORS: 'https://a.example, http://localhost:3000',
      CLOUDEASYML_DATA: 'state',
      CLOUDEASYML_ONNX_RUNTIME_LIBRARY: './lib/libonnxruntime.so',
    });
    expect(settings.plugins).toEqual([path.join(directory, 'plugins'), '/opt/more']);
    expect(settings.cors).toEqual(['https://a.example', 'http://localhost:3000']);
    expect(settings.data).toBe(path.join(directory, 'state'));
    expect(settings.onnxRuntime.library).toBe(path.join(directory, 'lib/libonnxruntime.so'));
  });

  it('read mappings, whose paths start there too', () => {
    const libraries = { openvino: path.join(directory, 'lib/openvino.so'), other: '/opt/other.so' };
    const yaml =
      'onnxRuntime: {providerLibraries: {openvino: lib/openvino.so, other: /opt/other.so}}';
    expect(load(yaml).settings.onnxRuntime.providerLibraries).toEqual(libraries);
    const name = 'CLOUDEASYML_ONNX_RUNTIME_PROVIDER_LIBRARIES';
    const { settings } = load('', { [name]: 'openvino=lib/openvino.so, other=/opt/other.so' });
    expect(settings.onnxRuntime.providerLibraries).toEqual(libraries);
    expect(failure('', { [name]: '/opt/other.so' }).message).toBe(
      `The setting onnxRuntime.providerLibraries (from the environment variable ${name}): expected an object but received "/opt/other.so".`,
    );
    expect(failure('', { [name]: 'cpu=/opt/other.so' }).message).toContain('other than cpu');
  });

  it('share the cores between workers and their threads, whichever is given', () => {
    expect(load('workers: 2').settings.onnxRuntime.intraOpThreads).toBe(3);
    expect(load('onnxRuntime: {intraOpThreads: 3}').settings.workers).toBe(2);
  });

  it('warn where workers × threads exceed the cores', () => {
    const { warnings } = load('workers: 4\nonnxRuntime: {intraOpThreads: 4}');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('4 × 4 = 16');
    expect(warnings[0]).toContain('8 cores');
  });

  it('warn of an unknown CLOUDEASYML_ variable', () => {
    expect(load('', { CLOUDEASYML_PROT: '1' }).warnings[0]).toContain('CLOUDEASYML_PROT');
  });

  it('name the setting, its source, what was expected and what came', () => {
    const fromEnv = failure('port: 80', { CLOUDEASYML_PORT: 'abc' });
    expect(fromEnv.path).toBe('port');
    expect(fromEnv.message).toBe(
      'The setting port (from the environment variable CLOUDEASYML_PORT): expected a number but received "abc".',
    );
    const fromFlag = failure('', {}, ['--port', '70000']);
    expect(fromFlag.message).toContain('the flag --port');
    expect(fromFlag.message).toContain('at most 65535 but received 70000');
    const fromFile = failure('onnxRuntime: {spinning: 3}');
    expect(fromFile.path).toBe('onnxRuntime.spinning');
    expect(fromFile.message).toContain(`${path.join(directory, 'config.yaml')}, line 1)`);
    expect(fromFile.message).toContain('expected true or false but received 3');
  });

  it('report every fault at once', () => {
    const { message } = failure('port: x\nworkers: 0\nlogLevel: loud\nonnxRuntime: 5');
    expect(message.split('\n')).toHaveLength(4);
    expect(message).toContain('expected one of "trace"');
    expect(message).toContain('expected a mapping but received 5');
  });

  it('refuse unknown settings and flags, broken YAML, and a file that is no table', () => {
    const file = path.join(directory, 'config.yaml');
    expect(failure('# where\nhosst: x')).toMatchObject({
      path: 'hosst',
      message: `The setting hosst (from ${file}, line 2): there is no such setting; did you mean host?`,
    });
    expect(failure('onnxRuntime:\n  spinning: true\n  libary: x')).toMatchObject({
      path: 'onnxRuntime.libary',
      message: expect.stringContaining('line 3): there is no such setting; did you mean library?'),
    });
    expect(failure('', {}, ['--prot', '1']).message).toContain('--prot');
    expect(failure('a: [1').message).toContain('config.yaml, line 1: not valid YAML');
    expect(failure('port: 1\nport: 2').message).toContain('line 2: not valid YAML: duplicated');
    expect(failure('- 1').message).toContain('expected a mapping of settings but received a list');
  });

  it('never repeat the admin key, and take it from no flag', () => {
    const { message } = failure('', { CLOUDEASYML_ADMIN_KEY: 'hunter2' });
    expect(message).toContain('at least 8 characters');
    expect(message).not.toContain('hunter2');
    expect(settingsTable.find(({ path: at }) => at === 'adminKey')?.flag).toBeUndefined();
    expect(settingsHelp()).not.toContain('admin-key');
    expect(settingsHelp()).toContain('--onnx-runtime-library');
  });
});
