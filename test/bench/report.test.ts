import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { sampleResults } from './sampleResults.js';

const root = path.resolve(import.meta.dirname, '../..');

async function render(results: object): Promise<string> {
  const folder = await temporaryFolder({ 'results.json': JSON.stringify(results) });
  const [file, out] = [path.join(folder, 'results.json'), path.join(folder, 'report.html')];
  execFileSync(process.execPath, ['bench/report/html.mjs', file, '--out', out], {
    cwd: root,
    stdio: 'pipe',
  });
  return readFileSync(out, 'utf8');
}

const count = (text: string, part: string | RegExp) => text.split(part).length - 1;

describe('the HTML report', async () => {
  const page = await render(sampleResults);

  it('needs no other file', () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:\/\//);
  });

  it('closes every element that it opens', () => {
    for (const tag of [
      'svg',
      'g',
      'text',
      'title',
      'table',
      'tr',
      'td',
      'section',
      'details',
      'div',
    ]) {
      expect(count(page, new RegExp(`<${tag}[ >]`)), tag).toBe(count(page, `</${tag}>`));
    }
  });

  it('draws numbers alone', () => {
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('draws throughput, latency against load and its parts, streams, calls and workers', () => {
    // 2 models closed, 2 models × (p99, p50, parts) open, 1 streams, 2 calls, 1 sharing.
    expect(count(page, '<svg ')).toBe(12);
    expect(page).toContain('aria-label="Requests per second: 4→3 softmax, 64 connections"');
    expect(page).toContain('aria-label="MLP 784-512-512-10: p99 against load"');
    expect(page).toContain('4→3 softmax, CloudEasyML: where the median goes, against load');
    // 5 servers × (p99, p50) and 2 models × 5 parts open, 2 sharing.
    expect(count(page, '<polyline')).toBe(22);
  });

  it('scales bars by their figures', () => {
    const chart = /<svg [^>]*Requests per second: 4→3 softmax.*?<\/svg>/s.exec(page)?.[0] ?? '';
    const widths = [...chart.matchAll(/class="bar"[^>]* width="([\d.]+)"/g)].map(([, w]) =>
      Number(w),
    );
    const rates = sampleResults.serving.closed[0]!.servers.map((s) => s.requestsPerSecond.median);
    expect(widths).toHaveLength(rates.length);
    for (const [index, width] of widths.entries()) {
      expect(width / widths[0]!).toBeCloseTo(rates[index]! / rates[0]!, 1);
    }
  });

  it('escapes what the results say', () => {
    expect(page).toContain('A &#60;sample&#62; CPU &#38; its cores');
    expect(page).toContain('FastAPI + onnxruntime &#60;1 worker&#62;');
  });

  it('holds ratios, targets, refusals, skipped peers, warnings and counts', () => {
    expect(page).toContain('90,000 req/s');
    expect(page).toContain('37,500 req/s (2.40×)');
    expect(page).toContain('<span class="bad">miss</span>');
    expect(page).toContain('12 requests failed');
    expect(page).toContain('axum + ort: cargo is not installed');
    expect(page).toContain(sampleResults.warnings[0]);
    expect(page).toContain('Instructions per request');
  });

  it('puts WebSockets beside HTTP and tensors beside the C loop', () => {
    expect(page).toContain('180,000 req/s (2.00× HTTP)');
    expect(page).toContain('<td>1.40× (1.33–1.47)</td><td>0.78× (0.74–0.82)</td>');
    expect(page).toContain('<td>0.99× (0.94–1.04)</td>');
  });

  it('shows where an open loop’s time went', () => {
    expect(page).toContain('<th>queue p50 / p99</th><th>batch wait p50 / p99</th>');
  });

  it('says what of the tails may be the machine’s', () => {
    expect(page).toContain(
      'bare uWebSockets.js, echo, 4→3 softmax: at shares of CloudEasyML’s peak, 90,000 req/s',
    );
    expect(page).toContain('CloudEasyML, 4→3 softmax: at most 90,000 req/s');
    expect(page).toContain(
      'lost 0.41 % of its time in pauses of over 0.1 ms within 2 s, the longest 2.4 ms',
    );
  });

  it('shows what is left of a server that is asked for too much', () => {
    expect(page).toContain('8 ms a request, &#60;one&#62; worker: at most 120 req/s');
    expect(page).toContain('<td>117</td><td>0.96 (0.91–1.01)</td><td>34 %</td><td>0.70</td>');
    expect(page).toContain('<span class="soft">3 requests got no answer</span>');
  });

  it('shows streams and what idle connections hold', () => {
    expect(page).toContain('150,000/s, first 1.28 ms');
    expect(page).toContain('<span class="soft">3 streams failed</span>');
    expect(page).toContain('145 MiB with 1,000 and 149 MiB with twice as many, 4.00 KiB more');
  });

  it('takes results that know of no streams and no WebSockets', async () => {
    const { streams: _, idleConnections: __, ...serving } = sampleResults.serving;
    const closed = [sampleResults.serving.closed[1]];
    const older = await render({ ...sampleResults, serving: { ...serving, closed } });
    expect(older).not.toContain('<h2>Streams</h2>');
    expect(older).not.toContain('of HTTP');
    expect(older).not.toMatch(/NaN|undefined/);
  });

  it('leaves out what a run left out', async () => {
    const { engine: _, ...servingOnly } = sampleResults;
    expect(await render(servingOnly)).not.toContain('One call of the engine');
    const { serving: __, ...engineOnly } = sampleResults;
    expect(await render(engineOnly)).not.toContain('Throughput by model');
  });

  it('refuses results of another version in one sentence', async () => {
    const attempt = render({ ...sampleResults, schemaVersion: 1 });
    await expect(attempt).rejects.toThrow(/schemaVersion 2, but received schemaVersion 1/);
  });
});
