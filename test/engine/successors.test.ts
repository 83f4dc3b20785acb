import { InferenceSession } from 'cloudeasyml';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BatchQueue } from '../../dist/engine/batchQueue.js';
import { Endpoint } from '../../dist/engine/endpoint.js';
import {
  Admission,
  anyOwner,
  type Completion,
  FrontEnd,
  Outcome,
} from '../../dist/engine/frontEnd.js';
import { inspectModel } from '../../dist/engine/inspectedModel.js';
import { WorkerPool } from '../../dist/worker/workerPool.js';
import { floats, graph, model, node } from '../support/onnxModels.js';

interface Answer {
  predictions: number[][];
  metadata: { addend: number };
}

/** Asks endpoints for predictions, each under a ticket of its own. */
class Client {
  readonly #engine = new FrontEnd(this);
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #tickets = 0;

  /** @returns the refusal where the engine does not take the request */
  ask(endpoint: Endpoint, data: number[][]): Promise<Answer> | number {
    const ticket = this.#tickets++;
    const body = new TextEncoder().encode(JSON.stringify({ data })).buffer as ArrayBuffer;
    const handle = this.#engine.submit(ticket, anyOwner, endpoint.number, body);
    if (handle < 0) return handle;
    return new Promise((resolve) => this.#waiting.set(ticket, resolve));
  }

  onCompletion({ ticket, outcome, body }: Completion): void {
    const text = Buffer.from(body as Uint8Array).toString();
    if (outcome !== Outcome.answered) throw new Error(`No prediction came: ${text}`);
    this.#waiting.get(ticket)!(JSON.parse(text));
    this.#waiting.delete(ticket);
  }
}

const limits = {
  maxBatchSize: 8,
  maxQueueDelayUs: 0,
  maxQueueSize: 1024,
  timeoutMs: 30_000,
  maxStreams: 0,
};
const inFlight = 32;

let pool: WorkerPool;
const client = new Client();

beforeAll(async () => {
  pool = new WorkerPool(2, pino({ level: 'silent' }));
  await pool.start();
});

afterAll(() => pool.close());

/** A deployment of a model that answers x + addend, and says so in its metadata. */
async function deploy(addend: number): Promise<BatchQueue> {
  const rows = { type: 'float32', dims: ['batch', 2] } as const;
  const bytes = model(
    graph(
      [{ name: 'x', ...rows }],
      [node('Add', ['x', 'addend'], ['y'])],
      [{ name: 'y', ...rows }],
      [floats('addend', [1], [addend])],
    ),
  );
  const inspected = await inspectModel(InferenceSession.createSync(bytes), {
    metadata: { addend },
    batchAxis: 'auto',
    maxBatchSize: limits.maxBatchSize,
  });
  const queue = new BatchQueue({ owner: 0, limits, model: inspected });
  await pool.host({ handle: queue.handle }, new AbortController().signal);
  queue.startAccepting();
  return queue;
}

/**
 * Keeps requests in flight until it is told to stop.
 *
 * @returns how many each deployment answered, by its addend
 */
async function flow(endpoint: Endpoint, goesOn: (asked: number) => boolean) {
  const answered: Record<number, number> = {};
  let asked = 0;
  const askOn = async () => {
    while (goesOn(asked)) {
      const x = asked++;
      const data = [
        [x, x + 1],
        [x + 2, x + 3],
      ];
      const answer = client.ask(endpoint, data);
      if (typeof answer === 'number') throw new Error(`The engine refused a request: ${answer}.`);
      const { predictions, metadata } = await answer;
      const { addend } = metadata;
      expect(predictions).toEqual(data.map((row) => row.map((value) => value + addend)));
      answered[addend] = (answered[addend] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, askOn));
  return { asked, answered };
}

describe('an endpoint', () => {
  test('is handed to a successor without a gap: each request goes wholly to one of the two', async () => {
    let current = await deploy(1);
    const endpoint = new Endpoint('handed', [{ queue: current, weight: 1 }]);
    let goesOn = true;
    const flowing = flow(endpoint, () => goesOn);
    const addends = [2, 3, 4, 5];
    for (const addend of addends) {
      const successor = await deploy(addend);
      endpoint.shift([{ queue: successor, weight: 1 }]);
      current.stopAccepting();
      await expect.poll(() => current.idle).toBe(true);
      await pool.unhost(current.handle);
      current.remove();
      current = successor;
    }
    // Some more by the last.
    for (let i = 0; i < 10; i++) await client.ask(endpoint, [[i, i]]);
    goesOn = false;
    const { asked, answered } = await flowing;
    expect(Object.keys(answered)).toEqual(['1', ...addends.map(String)]);
    expect(Object.values(answered).reduce((sum, count) => sum + count)).toBe(asked);
    current.remove();
  });

  test('shares its requests out by weight', async () => {
    const [most, others] = [await deploy(1), await deploy(2)];
    const endpoint = new Endpoint('shared', [
      { queue: most, weight: 3 },
      { queue: others, weight: 1 },
    ]);
    const { asked, answered } = await flow(endpoint, (count) => count < 4000);
    expect(answered[1]! + answered[2]!).toBe(asked);
    expect(answered[1]! / asked).toBeCloseTo(3 / 4, 2);
    // The one that is removed leaves its part to the other.
    others.remove();
    expect((await flow(endpoint, (count) => count < 100)).answered).toEqual({ 1: 100 });
    most.remove();
    expect(client.ask(endpoint, [[1, 2]])).toBe(Admission.noDeployment);
  });

  test('that is removed leads nowhere, and its deployment stays', async () => {
    const queue = await deploy(1);
    const removed = new Endpoint('removed', [{ queue, weight: 1 }]);
    const kept = new Endpoint('kept', [{ queue, weight: 1 }]);
    removed.remove();
    expect(client.ask(removed, [[1, 2]])).toBe(Admission.noDeployment);
    expect(await client.ask(kept, [[1, 2]])).toMatchObject({ predictions: [[2, 3]] });
    queue.remove();
  });
});
