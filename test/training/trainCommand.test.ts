import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { ProgressLine } from '../../dist/training/progressLine.js';
import { temporaryFolder, useTemporaryData } from '../plugin/temporaryFolder.js';
import { learnerSource } from './learner.js';

let data: string;
let folder: string;

beforeAll(async () => {
  data = await useTemporaryData();
  folder = await temporaryFolder({
    'plugins/learner/index.ts': learnerSource,
    'plugins/torn/index.ts': 'const',
    'data.json': '{"x": [1, 2], "y": [5, 10]}',
    'torn.json': '{"x": [1, 2',
    'settings.yaml': 'steps: 2',
    'endless.yaml': 'mood: loop',
    'throws.yaml': 'mood: throw',
  });
});

const script = fileURLToPath(new URL('./runTrain.mjs', import.meta.url));

/** Runs the command in the folder that holds `plugins`; `onOutput` sees stdout as it grows. */
async function train(args: string[], onOutput?: (output: string, kill: () => void) => void) {
  const { CLOUDEASYML_PLUGINS: _, ...env } = process.env;
  const child = spawn(process.execPath, [script, ...args], { cwd: folder, env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    onOutput?.(stdout, () => child.kill('SIGINT'));
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

describe('npm run train', () => {
  test('shows progress, metrics and where the model is', async () => {
    const { code, stdout, stderr } = await train([
      'learner',
      '--data',
      'data.json',
      '--config',
      'settings.yaml',
    ]);

    expect(stderr).toBe('');
    expect(stdout).toBe(
      [
        'Training learner 1.0.0 ...',
        '50 %  1/2  loss 1  fitting',
        '100 %  2/2  loss 0.5  fitting',
        'trained',
        '  slope  5',
        '  rows   2',
        '  loss   0.123457',
        `Saved to ${path.join(data, 'models', 'learner')}`,
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
  });

  test('takes its plugins from where it is told', async () => {
    const { code, stdout } = await train(['learner', '--plugins', `nowhere:${folder}/plugins`]);
    expect(stdout).toContain('100 %  4/4');
    expect(code).toBe(0);
  });

  test.each([
    [['learnr'], 'There is no model learnr. Did you mean learner?'],
    [['torn'], 'plugins/torn is broken. SyntaxError: '],
    [['learner', '--data', 'none.json'], 'The file none.json does not exist.'],
    [['learner', '--data', 'torn.json'], 'torn.json: not valid JSON: '],
    [['learner', '--config', 'none.yaml'], 'The file none.yaml does not exist.'],
    [
      ['learner', '--config', 'throws.yaml'],
      'The training failed. RangeError: it diverged (index.ts:',
    ],
  ])('fails with one line: %j', async (args, message) => {
    const { code, stderr } = await train(args);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });

  test.each([[[]], [['learner', '--dta', 'x']], [['a', 'b']]])(
    'shows its usage for %j',
    async (args) => {
      const { code, stderr } = await train(args);
      expect(stderr).toContain('Usage: npm run train -- <plugin>');
      expect(code).toBe(1);
    },
  );

  test('stops at Ctrl-C', async () => {
    const { code, stderr } = await train(
      ['learner', '--config', 'endless.yaml'],
      (output, kill) => {
        if (output.includes('100 %')) kill();
      },
    );
    expect(stderr).toBe('The training was stopped.\n');
    expect(code).toBe(130);
  });
});

describe('progress', () => {
  const show = (stream: { isTTY: boolean; columns?: number }, steps: number, total: number) => {
    let written = '';
    const line = new ProgressLine({
      ...stream,
      write: (text: string) => {
        written += text;
      },
    });
    for (let step = 1; step <= steps; step++) line.show({ step, total, message: 'x'.repeat(50) });
    line.close();
    return written;
  };

  test('on a terminal is one line, written over and never wrapped', () => {
    const written = show({ isTTY: true, columns: 40 }, 3, 4);
    const states = written.trimEnd().split('\r\x1b[K').slice(1);
    expect(states.map((state) => state.length)).toEqual([39, 39, 39]);
    expect(states[2]).toMatch(/^█{18}░{6} {2}75 % {2}3\/4 /);
    expect(written.endsWith('\n')).toBe(true);
  });

  test('in a log is a line for each whole percent at most', () => {
    const lines = show({ isTTY: false }, 5000, 5000).trimEnd().split('\n');
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatch(/^100 % {2}5000\/5000 /);
  });

  test('without a total does not fail', () => {
    expect(show({ isTTY: false }, 1, 0)).toMatch(/^0 % {2}1\/0/);
  });
});
