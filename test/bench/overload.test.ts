import { describe, expect, it } from 'vitest';
import { overloadTable } from '../../bench/report.mjs';
import { type OverloadRound, overloadRow } from '../../bench/serving/overload.mjs';
import { overloadTargets } from '../../bench/targets.mjs';
import { sampleResults } from './sampleResults.js';

const seconds = 2;

/** A round of so many answers in time, late answers, refusals and missed deadlines. */
function round(good: number, slow: number, refused: number, missed: number, more = {}) {
  const latency = [...Array(good).fill(50_000), ...Array(slow).fill(120_000)];
  const refusals = Array.from({ length: refused }, (_, i) => ({ status: 503, us: 1000 + i }));
  return {
    times: { latency: Float64Array.from(latency) },
    errors: [...refusals.reverse(), ...Array(missed).fill({ status: 504, us: 110_000 })],
    arrivalsPerSecond: 150,
    capacity: 100,
    lost: 0,
    generatorLoad: 0.1,
    ...more,
  } as OverloadRound;
}

describe('a row of the overload’s table', () => {
  it('counts answers within the deadline, and tells refusals from late answers', () => {
    const row = overloadRow(1.5, seconds, [round(180, 10, 101, 9)]);
    expect(row.refusal).toBeUndefined();
    expect(row.goodput.median).toBe(90);
    expect(row.ofCapacity.median).toBe(0.9);
    expect(row.refused.median).toBeCloseTo(101 / 300);
    expect(row.late.median).toBeCloseTo(19 / 300);
    expect(row.refusalP50Us?.median).toBe(1050);
  });

  it('has no time of a refusal where a round had none', () => {
    const row = overloadRow(1, seconds, [round(190, 0, 0, 10), round(180, 0, 20, 0)]);
    expect(row).not.toHaveProperty('refusalP50Us');
    expect(row.goodput).toMatchObject({ min: 90, max: 95 });
  });

  it('is not reported where requests were lost or failed in another way', () => {
    const refusalOf = (more: object) => overloadRow(1, seconds, [round(1, 0, 0, 0, more)]).refusal;
    expect(refusalOf({ lost: 2 })).toBe('2 requests got no answer');
    expect(refusalOf({ errors: [{ status: 500, us: 1 }] })).toBe('the server answered 500');
    expect(refusalOf({ generatorLoad: 0.95 })).toBe('the load generator was the bottleneck');
  });

  it('is shown, and held to the targets', () => {
    const text = overloadTable(sampleResults.overload);
    expect(text).toMatch(/1\.5 times the capacity +180\.0 +117\.0 +0\.96× .* 34 % +0\.70 +1 %/);
    expect(text).toContain('Not reported: 2.5 times the capacity: 3 requests got no answer');
    expect(overloadTargets(sampleResults.overload).map(({ verdict }) => verdict)).toEqual([
      'pass',
      'pass',
      'not measured',
      'not measured',
    ]);
  });
});
