import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { sampleResults } from './sampleResults.js';

const root = path.resolve(import.meta.dirname, '../..');
const begin = '<!-- bench:begin: made by npm run bench:readme -->';
const end = '<!-- bench:end -->';

async function update(readme: string) {
  const folder = await temporaryFolder({
    'README.md': readme,
    'docs/benchmark.svg': '',
    'results.json': JSON.stringify(sampleResults),
  });
  const results = path.join(folder, 'results.json');
  const again = () => {
    const args = ['bench/report/readme.mjs', results, '--folder', folder];
    execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' });
    return {
      readme: readFileSync(path.join(folder, 'README.md'), 'utf8'),
      chart: readFileSync(path.join(folder, 'docs/benchmark.svg'), 'utf8'),
    };
  };
  return { ...again(), again };
}

describe('the README’s benchmark', async () => {
  const { readme, chart, again } = await update(`# Name\n\n${begin}\nold\n${end}\n\nAfter.\n`);

  it('stands between the markers, and leaves the rest alone', () => {
    expect(readme.startsWith(`# Name\n\n${begin}\n`)).toBe(true);
    expect(readme.endsWith(`${end}\n\nAfter.\n`)).toBe(true);
    expect(readme).not.toContain('old');
  });

  it('has a row for each server and a column for each model', () => {
    const rows = readme.split('\n').filter((line) => line.startsWith('|'));
    expect(rows).toEqual([
      '| server | 4→3 softmax | MLP 784-512-512-10 |',
      '|---|--:|--:|',
      '| **CloudEasyML** | **90,000** | **56,000** |',
      '| **CloudEasyML, WebSocket** | **180,000** | **78,400** |',
      '| **CloudEasyML, WebSocket, tensors** |  | **99,000** |',
      '| Fastify + onnxruntime-node | 37,500 (2.40×) | 9,500 (5.89×) |',
      '| uWebSockets.js + onnxruntime-node | 60,000 (1.50×) | 15,000 (3.73×) |',
      '| FastAPI + onnxruntime &#60;1 worker&#62; | 5,200 (17.3×) | 2,500 (22.4×) |',
      '| bare uWebSockets.js, echo | 115,000 (0.78×) | 28,000 (2.00×) |',
      '| C loop, up to 6 threads |  | 100,000 (0.56×) |',
    ]);
  });

  it('says how many WebSockets carried the load', () => {
    expect(readme).toContain('Over WebSockets as many are in flight, on 4 connections.');
  });

  it('shows the chart, the machine and the warnings', () => {
    expect(readme).toContain('](docs/benchmark.svg)');
    expect(readme).toContain('ONNX Runtime 1.29.0');
    expect(readme).toContain(`> ${sampleResults.warnings[0]}`);
    expect(chart).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(chart.match(/class="bar"/g)).toHaveLength(14);
    expect(chart).toContain('prefers-color-scheme: dark');
  });

  it('is the same when it is made again', () => {
    expect(again().readme).toBe(readme);
  });

  it('refuses a README without markers', async () => {
    await expect(update('# Name\n')).rejects.toThrow(/bench:begin/);
  });
});
