import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StepBatcher } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';

/** A batcher whose steps are numbers and whose results are their squares, and the batches that it ran. */
function squares(maxBatchSize?: number) {
  const batches: number[][] = [];
  const batcher = new StepBatcher(
    (steps: number[]) => {
      batches.push(steps);
      return steps.map((step) => step ** 2);
    },
    { maxBatchSize },
  );
  return { batches, run: (step: number) => batcher.run(step) };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('steps', () => {
  test('of one turn of the event loop run as one batch, and each gets its own result', async () => {
    const { batches, run } = squares();
    expect(await Promise.all([3, 1, 2].map(run))).toEqual([9, 1, 4]);
    expect(batches).toEqual([[3, 1, 2]]);
  });

  test('of streams that await each other’s batch stay together', async () => {
    const { batches, run } = squares();
    const stream = async (first: number) => {
      let value = first;
      for (let step = 0; step < 3; step++) value = (await run(value)) + 1;
      return value;
    };
    expect(await Promise.all([stream(0), stream(1)])).toEqual([5, 26]);
    expect(batches).toEqual([
      [0, 1],
      [1, 2],
      [2, 5],
    ]);
  });

  test('beyond maxBatchSize wait for the next batch, in order', async () => {
    const { batches, run } = squares(4);
    const results = await Promise.all(numbers(10).map(run));
    expect(results).toEqual(numbers(10).map((step) => step ** 2));
    expect(batches).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });

  test('are at most 32 in a batch where nothing else is said', async () => {
    const { batches, run } = squares();
    await Promise.all(numbers(40).map(run));
    expect(batches.map((batch) => batch.length)).toEqual([32, 8]);
  });

  test('that come between two batches join the second', async () => {
    const { batches, run } = squares(2);
    const first = numbers(3).map(run);
    await first[0];
    await Promise.all([...first, run(3)]);
    expect(batches).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test('leave the event loop a turn after each batch', async () => {
    const { batches, run } = squares(1);
    const all = Promise.all(numbers(20).map(run));
    const seen: number[] = [];
    while (batches.length < 20) {
      await nextTurn();
      seen.push(batches.length);
    }
    await all;
    // One batch at a time was added between two looks.
    for (const [look, count] of seen.entries())
      expect(count - (seen[look - 1] ?? 0)).toBeLessThan(2);
  });
});

describe('an asynchronous batch', () => {
  test('lets later steps gather while it runs', async () => {
    const batches: string[][] = [];
    let finish = () => {};
    const batcher = new StepBatcher(async (steps: string[]) => {
      batches.push(steps);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return steps.map((step) => step.toUpperCase());
    });
    const a = batcher.run('a');
    await nextTurn();
    const b = batcher.run('b');
    await nextTurn();
    const c = batcher.run('c');
    await nextTurn();
    expect(batches).toEqual([['a']]);

    finish();
    expect(await a).toBe('A');
    // The first turn ends this batch, the second begins the next.
    await nextTurn();
    await nextTurn();
    expect(batches).toEqual([['a'], ['b', 'c']]);
    finish();
    expect(await Promise.all([b, c])).toEqual(['B', 'C']);
  });

  test('that rejects fails the bad step alone', async () => {
    const batcher = new StepBatcher(async (steps: number[]) => {
      await nextTurn();
      if (steps.includes(2)) throw new Error('no twos');
      return steps;
    });
    const results = await Promise.allSettled([1, 2, 3].map((step) => batcher.run(step)));
    expect(results).toMatchObject([
      { value: 1 },
      { reason: expect.objectContaining({ message: 'no twos' }) },
      { value: 3 },
    ]);
    expect(await batcher.run(4)).toBe(4);
  });
});

describe('a batch that throws', () => {
  test('runs each of its steps once more, alone', async () => {
    const batches: number[][] = [];
    const batcher = new StepBatcher((steps: number[]) => {
      batches.push(steps);
      if (steps.includes(0)) throw new Error('division by zero');
      return steps.map((step) => 6 / step);
    });
    const results = await Promise.allSettled([1, 0, 3].map((step) => batcher.run(step)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(batches).toEqual([[1, 0, 3], [1], [0], [3]]);
    expect(await batcher.run(2)).toBe(3);
  });

  test('of one step is not tried again', async () => {
    let runs = 0;
    const batcher = new StepBatcher((): string[] => {
      runs++;
      throw new Error('always');
    });
    await expect(batcher.run(1)).rejects.toThrow('always');
    expect(runs).toBe(1);
  });

  test('is also one with too few results', async () => {
    const batcher = new StepBatcher((steps: number[]) => steps.slice(1));
    const results = await Promise.allSettled([1, 2].map((step) => batcher.run(step)));
    for (const result of results) {
      expect(result).toMatchObject({
        reason: expect.objectContaining({ message: expect.stringContaining('gave 0 for 1') }),
      });
    }
  });
});

test('a batch runs in the async context of the batcher, and each step’s caller stays in its own', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const batcher = storage.run('load', () => {
    return new StepBatcher(
      async (steps: string[]) => {
        seen.push(storage.getStore());
        await nextTurn();
        seen.push(storage.getStore());
        return steps;
      },
      { maxBatchSize: 1 },
    );
  });
  const stream = async (name: string) => {
    for (let step = 0; step < 2; step++) {
      await batcher.run(name);
      expect(storage.getStore()).toBe(name);
    }
  };
  await Promise.all(['a', 'b'].map((name) => storage.run(name, () => stream(name))));
  expect(seen).toEqual(Array(8).fill('load'));
});

test.each([0, -1, 1.5, Number.NaN])('a maxBatchSize of %d is refused', (maxBatchSize) => {
  expect(() => new StepBatcher((steps: number[]) => steps, { maxBatchSize })).toThrow(RangeError);
});
