import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { setServing } from '../../dist/tuning/servingBlock.js';

const values = { maxBatchSize: 64, maxQueueDelayUs: 200 };

describe('setting numbers of the serving: block', () => {
  it('keeps comments, order and everything else to the byte', () => {
    const source = [
      '# Top.',
      'model:',
      '  path: "a # b"   # the model',
      'serving: # how it is served',
      '    # rows',
      '    maxBatchSize: 8   # tried in May',
      '    timeoutMs: 60000',
      '',
      'after: [1,  2]',
      '',
    ].join('\n');
    expect(setServing(source, values)).toBe(
      source.replace('    maxBatchSize: 8 ', '    maxQueueDelayUs: 200\n    maxBatchSize: 64 '),
    );
  });

  it('replaces what is there without touching the rest', () => {
    const source = 'serving:\n  maxQueueDelayUs: 0 # none\n  maxBatchSize: 256\n';
    expect(setServing(source, values)).toBe(
      'serving:\n  maxQueueDelayUs: 200 # none\n  maxBatchSize: 64\n',
    );
  });

  it('adds a block where there is none', () => {
    expect(setServing('', values)).toBe('serving:\n  maxBatchSize: 64\n  maxQueueDelayUs: 200\n');
    expect(setServing('# nothing', values)).toContain('# nothing\nserving:\n');
    expect(load(setServing('a: 1', values))).toEqual({ a: 1, serving: values });
  });

  it('fills an empty block', () => {
    const edited = setServing('serving: # later\nmetadata:\n  version: 1.0.0\n', values);
    expect(load(edited)).toEqual({ serving: values, metadata: { version: '1.0.0' } });
    expect(edited).toContain('# later');
  });

  it('edits a block in braces', () => {
    const edited = setServing('serving: {maxBatchSize: 8, timeoutMs: 5} # one line\n', values);
    expect(load(edited)).toEqual({ serving: { ...values, timeoutMs: 5 } });
    expect(edited).toMatch(/} # one line\n$/);
    expect(load(setServing('serving: {}\n', values))).toEqual({ serving: values });
  });

  it('refuses what it can’t edit, and says what to set', () => {
    const source = 'base: &base {maxBatchSize: 8}\nserving: *base\n';
    expect(() => setServing(source, values)).toThrow(/set maxBatchSize: 64, maxQueueDelayUs: 200/);
  });
});
