import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { adderSource, temporaryFolder } from '../plugin/temporaryFolder.js';

const root = path.resolve(import.meta.dirname, '../..');
const config = '# Irises.\nserving:\n  timeoutMs: 5000 # short\n';

interface Ended {
  code: number;
  out: string;
  errors: string;
}

function tune(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const command = [path.join(root, 'dist/cli/main.js'), 'tune', ...args];
    execFile(process.execPath, command, { cwd: root }, (error, out, errors) => {
      resolve({ code: Number(error?.code ?? 0), out, errors });
    });
  });
}

async function plugins() {
  const model = readFileSync(path.join(root, 'plugins/irisClassification/model.onnx'));
  return temporaryFolder({
    'iris/model.onnx': model,
    'iris/config.yaml': config,
    'adder/index.ts': adderSource(),
    'body.json': '{"data": [1, 2, 3]}',
    'bare.json': '[1, 2, 3]',
    'wrong.json': '{"data": [["five"]]}',
  });
}

describe('npm run tune', () => {
  it('shows the frontier and writes the best setting, with comments kept', async () => {
    const folder = await plugins();
    const ended = await tune('iris', '--latency-p99', '1s', '--time', '4s', '--plugins', folder);
    expect(ended.code, ended.errors).toBe(0);
    expect(ended.out).toMatch(
      /workers +intraOpThreads +maxBatchSize +maxQueueDelayUs +connections/,
    );
    const [, batch, delay] = /Best: .* batches of (\d+), delay (\d+) µs/.exec(ended.out) ?? [];
    const written = readFileSync(path.join(folder, 'iris/config.yaml'), 'utf8');
    expect(written).toContain('# Irises.\nserving:\n');
    expect(written).toContain('timeoutMs: 5000 # short\n');
    expect(written).toContain(`maxBatchSize: ${batch}\n`);
    expect(written).toContain(`maxQueueDelayUs: ${delay}\n`);
    expect(ended.out).toMatch(
      /CLOUDEASYML_WORKERS=\d+ CLOUDEASYML_ONNX_RUNTIME_INTRA_OP_THREADS=\d+/,
    );
  });

  it('loads a plugin with code with the request that it is given, and leaves files alone when told', async () => {
    const folder = await plugins();
    const body = path.join(folder, 'body.json');
    const ended = await tune(
      ...['adder', '--latency-p99', '1s', '--time', '1s', '--dry-run'],
      ...['--data', body, '--plugins', folder],
    );
    expect(ended.code, ended.errors).toBe(0);
    expect(ended.out).toMatch(/For .*adder\/config.yaml: serving.maxBatchSize/);
    expect(() => readFileSync(path.join(folder, 'adder/config.yaml'))).toThrow(/ENOENT/);
  });

  it('writes nothing where nothing keeps the limit', async () => {
    const folder = await plugins();
    const ended = await tune('iris', '--latency-p99', '1us', '--time', '1s', '--plugins', folder);
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('nothing was written');
    expect(readFileSync(path.join(folder, 'iris/config.yaml'), 'utf8')).toBe(config);
  });

  it('says in a sentence what is missing or wrong', async () => {
    const folder = await plugins();
    const all = ['--latency-p99', '10ms', '--plugins', folder];
    const cases: [string[], RegExp][] = [
      [['iris', '--plugins', folder], /expected --latency-p99, such as 10ms/],
      [['iris', '--latency-p99', '10', '--plugins', folder], /10ms.* but received "10"/],
      [all, /expected one plugin's name but received 0/],
      [['irs', ...all], /Did you mean iris\?/],
      [['adder', ...all], /has code of its own: give a request with --data/],
      [['adder', '--data', path.join(folder, 'bare.json'), ...all], /bare\.json: expected a body/],
      [['iris', '--data', path.join(folder, 'wrong.json'), ...all], /was answered 422.*data/],
    ];
    for (const [args, message] of cases) {
      const ended = await tune(...args);
      expect(ended.errors).toMatch(message);
      expect(ended.code).toBe(1);
    }
  });
});
