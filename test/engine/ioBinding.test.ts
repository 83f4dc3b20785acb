import { DeviceTensor, InferenceSession, IoBinding, Tensor } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError } from '../support/errors.js';
import { graph, identity, model, node } from '../support/onnxModels.js';

/** sum = x + state */
const adder = model(
  graph(
    [
      { name: 'x', type: 'float32', dims: [null] },
      { name: 'state', type: 'float32', dims: [null] },
    ],
    [node('Add', ['x', 'state'], ['sum'])],
    [{ name: 'sum', type: 'float32', dims: [null] }],
  ),
);
const session = InferenceSession.createSync(adder);

const tensor = (...values: number[]) => new Tensor('float32', Float32Array.from(values));

describe('a bound output', () => {
  test.each(['cpu', 'pinned'] as const)('in %s memory is a tensor', (location) => {
    const binding = new IoBinding(session)
      .bindInput('x', tensor(1, 2))
      .bindInput('state', tensor(10, 20))
      .bindOutput('sum', location);
    expect(binding.run()).toEqual({ sum: tensor(11, 22) });
  });

  test('can be the caller’s tensor', () => {
    const sum = tensor(0, 0);
    const binding = new IoBinding(session)
      .bindInput('x', tensor(1, 2))
      .bindInput('state', tensor(3, 4))
      .bindOutput('sum', sum);
    expect(binding.run().sum).toBe(sum);
    expect(sum).toEqual(tensor(4, 6));
  });

  test('stays as it is when the binding runs again, on other shapes too', () => {
    const binding = new IoBinding(session).bindOutput('sum').bindInput('state', tensor(1));
    const first = binding.bindInput('x', tensor(1)).run().sum;
    const second = binding.bindInput('x', tensor(5, 6, 7)).run().sum;
    expect(first).toEqual(tensor(2));
    expect(second).toEqual(tensor(6, 7, 8));
  });

  test('that is not asked for is not given', () => {
    const binding = new IoBinding(session).bindInput('x', tensor(1)).bindInput('state', tensor(1));
    expectError(() => binding.run(), { code: 'invalid_input' });
  });
});

describe('a tensor on the device', () => {
  test('goes from run to run', () => {
    const binding = new IoBinding(session)
      .bindInput('x', tensor(1, 1, 1))
      .bindInput('state', tensor(0, 10, 20))
      .bindOutput('sum', 'device');
    for (let step = 0; step < 100; step++) {
      const { sum } = binding.run();
      expect(sum).toBeInstanceOf(DeviceTensor);
      expect(sum).toMatchObject({ type: 'float32', dims: [3], size: 3, location: 'cpu' });
      binding.bindInput('state', sum!);
    }
    expect(binding.bindOutput('sum', 'cpu').run().sum).toEqual(tensor(101, 111, 121));
  });

  test('outlives its session', () => {
    const brief = InferenceSession.createSync(identity('float32', ['device']));
    const { y } = new IoBinding(brief)
      .bindInput('x', tensor(1, 2, 3))
      .bindOutput('y', 'device')
      .run();
    brief.release();
    const { sum } = new IoBinding(session)
      .bindInput('x', y!)
      .bindInput('state', tensor(1, 1, 1))
      .bindOutput('sum')
      .run();
    expect(sum).toEqual(tensor(2, 3, 4));
  });

  test('of the wrong shape is refused', () => {
    const { sum } = new IoBinding(session)
      .bindInput('x', tensor(1))
      .bindInput('state', tensor(1))
      .bindOutput('sum', 'device')
      .run();
    const wide = InferenceSession.createSync(identity('float32', [2]));
    expectError(() => new IoBinding(wide).bindInput('x', sum!), {
      code: 'invalid_input',
      path: 'x',
    });
  });
});

describe('a binding refuses', () => {
  const binding = () => new IoBinding(session);

  test('names that the model does not have', () => {
    expectError(() => binding().bindInput('y', tensor(1)), { code: 'invalid_input', path: 'y' });
    expectError(() => binding().bindOutput('y'), { code: 'invalid_input', path: 'y' });
  });

  test('types that the model does not take', () => {
    expectError(() => binding().bindInput('x', new Tensor('int8', Int8Array.of(1))), {
      code: 'invalid_input',
      path: 'x',
    });
  });

  test('a location that there is none of', () => {
    const wrong = binding()
      .bindInput('x', tensor(1))
      .bindInput('state', tensor(1))
      .bindOutput('sum', 'moon' as never);
    expectError(() => wrong.run(), { code: 'invalid_input', message: /"moon"/ });
  });

  test('to run without all its inputs', () => {
    expectError(() => binding().bindInput('x', tensor(1)).bindOutput('sum').run(), {
      code: 'invalid_input',
      path: 'state',
    });
  });

  test('an input that was detached after it was bound', () => {
    const x = tensor(1, 2, 3);
    const bound = binding()
      .bindInput('x', x)
      .bindInput('state', tensor(0, 0, 0))
      .bindOutput('sum');
    bound.run();
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
    expectError(() => bound.run(), { code: 'invalid_input', path: 'x' });
  });
});

test('strings can be bound', () => {
  const words = InferenceSession.createSync(identity('string', [null]));
  const x = new Tensor('string', ['a', 'b']);
  expect(new IoBinding(words).bindInput('x', x).bindOutput('y').run().y).toEqual(x);
});

test('a session makes tensors in the memory that its device likes', () => {
  const x = session.createTensor('float32', [2000]);
  expect(x.data).toEqual(new Float32Array(2000));
  (x.data as Float32Array).fill(2);
  expect(session.run({ x, state: tensor(1) }).sum!.data).toEqual(new Float32Array(2000).fill(3));
  expect(session.createTensor('int64', [0, 3])).toMatchObject({ size: 0, dims: [0, 3] });
});
