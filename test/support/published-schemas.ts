/** The JSON Schemas in docs/, held against documents that the action wrote. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { closed } from './strict-schema.ts';

export type PublishedSchema =
  | 'metadata'
  | 'contents'
  | 'audit'
  | 'drill'
  | 'prune'
  | 'findings'
  | 'webhook'
  | 'check'
  | 'check-findings';

const compiled = new Map<PublishedSchema, ValidateFunction>();

/** What a document holds that its schema does not describe, and what it lacks; empty when it is valid. */
export function schemaErrors(name: PublishedSchema, document: unknown): string[] {
  const validate = compiled.get(name) ?? compile(name);
  if (validate(document)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
}

/** Whether a document is valid for those who take the schema as it is published: with fields of later versions, too. */
export function publishedSchema(name: PublishedSchema): ValidateFunction {
  return new Ajv2020({ allErrors: true }).compile(read(name));
}

function compile(name: PublishedSchema): ValidateFunction {
  // Formats are a matter of a package of their own; strict mode finds words that no version of JSON Schema knows.
  const validate = new Ajv2020({ allErrors: true, strict: true, validateFormats: false }).compile(closed(read(name)));
  compiled.set(name, validate);
  return validate;
}

function read(name: PublishedSchema): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../../docs/${name}.schema.json`, import.meta.url), 'utf8'));
}
