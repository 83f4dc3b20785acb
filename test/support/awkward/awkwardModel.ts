import type { ElementType } from 'cloudeasyml/onnx';
import type { Nested } from '../packedTensor.js';
import type { ModelFiles } from '../pluginFolder.js';

/** Anything that has a form in JSON, with 64-bit integers exact. */
export type Json = Nested | null | readonly Json[] | { readonly [key: string]: Json };

/** What one client sends, and what it must get, whoever asks beside it. */
export interface AwkwardRequest {
  data: Json;
  predictions: Json;
  /** The inputs by name as a binary frame has them, where `data` has another form. */
  tensors?: Record<string, Nested>;
}

/** A model without code whose answers a test can work out by itself. */
export interface AwkwardModel extends ModelFiles {
  inputs: Readonly<Record<string, ElementType>>;
  /** In the model's order; null for one that is no tensor. */
  outputs: Readonly<Record<string, ElementType | null>>;
  /** Each client's is another one, of another number of rows where that is the client's to choose. */
  request(client: number): AwkwardRequest;
}

/** The first clients send a row each, so that a few of them make a batch of just as many rows. */
export const singleRowClients = 10;

/** From 1 to `most` rows, by the client's number. */
export function rowsOf<Row>(client: number, most: number, row: (index: number) => Row): Row[] {
  const length = client < singleRowClients ? 1 : 1 + (client % most);
  return Array.from({ length }, (_, index) => row(index));
}

/** Rows of whole numbers, all different: their float32 sums and products are exact. */
export function wholeRows(client: number, most: number, width: number): number[][] {
  return rowsOf(client, most, (row) =>
    Array.from({ length: width }, (_, column) => client * 16 + row * 4 + column + 1),
  );
}

export function doubled(rows: readonly (readonly number[])[]): number[][] {
  return rows.map((row) => row.map((value) => 2 * value));
}

/** JSON as the server writes it: 64-bit integers with all digits, null for what is no number. */
export function jsonText(value: Json): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`,
  );
  return `{${members.join(',')}}`;
}
