import { describe, expect, it } from 'vitest';
import { readCallgrind } from '../../bench/guard/callgrindFile.mjs';
import { compare } from '../../bench/guard/compare.mjs';

// Main calls a library that calls libc; libc is also called by main itself.
const callgrindFile = `# callgrind format
version: 1
positions: line
events: Ir
summary: 1000

ob=(1) /app/program
fl=(1) main.cc
fn=(1) main
10 100
cob=(2) /lib/libonnxruntime.so.1
cfn=(2) Run
calls=3 0
11 700
cob=(3) /lib/libc.so.6
cfn=(3) memcpy
calls=1 0
12 50
cfn=(4) helper
calls=2 20
+1 150

ob=(2)
fn=(2)
0 650
cob=(3)
cfn=(3)
calls=9 0
0 50
cfn=(5) kernel
calls=9 0
0 600
`;

describe('the regression guard', () => {
  it('tells a library’s instructions, with those of what it calls, from the rest', () => {
    expect(readCallgrind(callgrindFile, 'libonnxruntime')).toEqual({ all: 1000, within: 700 });
    expect(readCallgrind(callgrindFile, 'libc')).toEqual({ all: 1000, within: 100 });
  });

  it('refuses a file without counts', () => {
    expect(() => readCallgrind('summary: 0\n', 'x')).toThrow('counted nothing');
  });

  it('judges growth beyond five per cent', () => {
    const recorded = [{ script: 'a', engine: 1000, onnxRuntime: 2000 }];
    const verdicts = (engine: number, onnxRuntime: number, script = 'a') =>
      compare([{ script, engine, onnxRuntime }], recorded).map(({ verdict }) => verdict);
    expect(verdicts(1049, 1951)).toEqual(['same', 'same']);
    expect(verdicts(1051, 2101)).toEqual(['grown', 'grown']);
    expect(verdicts(949, 1899)).toEqual(['shrunk', 'shrunk']);
    expect(verdicts(1, 1, 'b')).toEqual(['new', 'new']);
  });
});
