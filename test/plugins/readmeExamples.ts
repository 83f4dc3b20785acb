import { readFileSync } from 'node:fs';

interface Example {
  request: { data: unknown; options?: Record<string, unknown> };
  /** All but the time that it took. */
  answer: Record<string, unknown>;
}

const pattern = /\/predict\/[\s\S]*?-d '([^']*)'\s*```[\s\S]*?```json\n([\s\S]*?)```/g;

/** @returns what a bundled plugin's README asks `/predict`, and what it says comes back */
export function readmeExamples(plugin: string): Example[] {
  const file = new URL(`../../plugins/${plugin}/README.md`, import.meta.url);
  const examples = [...readFileSync(file, 'utf8').matchAll(pattern)].map(
    ([, body = '', json = '']) => {
      const { processingTimeMs: _, ...answer } = JSON.parse(json);
      return { request: JSON.parse(body), answer };
    },
  );
  if (examples.length === 0) throw new Error(`The README of ${plugin} has no examples.`);
  return examples;
}

/** A value whose numbers are rounded to five digits: processors differ in the last of a float32's. */
export function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, inner) =>
    typeof inner === 'number' ? Number(inner.toPrecision(5)) : inner,
  );
}
