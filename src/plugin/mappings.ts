/** What YAML and JSON have with keys. */
export type Mapping = Record<string, unknown>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A mapping overridden by another: mappings within are merged, everything else is replaced. */
export function mergeMappings(base: Mapping, override: Mapping): Mapping {
  const merged: Mapping = { ...base };
  for (const [key, value] of Object.entries(override)) {
    // JSON may carry this key as data, but to assign it would set the prototype.
    if (key === '__proto__') continue;
    const before = merged[key];
    merged[key] = isMapping(before) && isMapping(value) ? mergeMappings(before, value) : value;
  }
  return merged;
}
