import { expect } from 'vitest';

/** Expects a CloudEasyMLError with this code, and what else is named of it. */
export function expectError(
  action: () => unknown,
  expected: { code: string; path?: string; message?: RegExp },
): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  checkError(thrown, expected);
}

/** The same for a promise. */
export async function expectRejection(
  promise: Promise<unknown>,
  expected: { code: string; path?: string; message?: RegExp },
): Promise<void> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  checkError(thrown, expected);
}

function checkError(
  thrown: unknown,
  expected: { code: string; path?: string; message?: RegExp },
): void {
  const { message, ...fields } = expected;
  expect(thrown).toMatchObject({ name: 'CloudEasyMLError', ...fields });
  if (message) expect((thrown as Error).message).toMatch(message);
}
