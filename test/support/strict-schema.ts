/** A JSON Schema that also forbids what it does not describe: shows that the published one describes everything. */

type Schema = { [key: string]: unknown };

export function closed(schema: Schema): Schema {
  return close(schema) as Schema;
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => key !== '$id')
    .map(([key, each]) => [key, close(each)] as const);
  const built: Schema = Object.fromEntries(entries);
  const isObject = built.type === 'object' && built.properties !== undefined;
  return isObject ? { ...built, additionalProperties: false } : built;
}
