/** Keys and indexes from a value to something inside it. */
export type ValuePath = readonly PropertyKey[];

/** `['data', 2, 'x']` as `data[2].x`. */
export function printPath(path: ValuePath): string {
  return path.reduce<string>((printed, key) => {
    if (typeof key === 'number') return `${printed}[${key}]`;
    return printed ? `${printed}.${String(key)}` : String(key);
  }, '');
}

/** What is at a path, or undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: ValuePath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined,
    root,
  );
}
