/**
 * Compiles the WebAssembly module of the content digest into a committed TypeScript file:
 * `npm run build:wasm`. The same source gives the same bytes.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ENTRY = 'assembly/rows-xxh64x2.ts';
/** 64 KiB each: static data, 256 KiB of input and the slack behind it. */
const MEMORY_PAGES = 5;

/** The module's bytes, freshly compiled. Throws with the compiler's words when the source is wrong. */
export async function compileRowsModule(): Promise<Uint8Array> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const outFile = 'rows-xxh64x2.wasm';
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
  const memory = ['--initialMemory', String(MEMORY_PAGES), '--maximumMemory', String(MEMORY_PAGES)];
  let compiled: Uint8Array | undefined;
  const { error, stderr } = await asc.main([ENTRY, '--baseDir', here, '--outFile', outFile, ...options, ...memory], {
    writeFile: (name, contents) => {
      if (name === outFile && typeof contents !== 'string') compiled = contents;
    },
  });
  if (error !== null || compiled === undefined) {
    throw new Error(`the digest module does not compile: ${stderr.toString()}`, { cause: error });
  }
  return compiled;
}

/** The text of `rows-xxh64x2.generated.ts`. */
export function generatedSource(module: Uint8Array): string {
  return [
    '// Generated from assembly/rows-xxh64x2.ts by `npm run build:wasm`. Do not edit.',
    `/** The WebAssembly module of the content digest, base64 (${module.length} bytes). */`,
    `export const ROWS_MODULE_BASE64 =\n  '${Buffer.from(module).toString('base64')}';`,
    '',
  ].join('\n');
}

if (import.meta.main) {
  const module = await compileRowsModule();
  await writeFile(new URL('./rows-xxh64x2.generated.ts', import.meta.url), generatedSource(module));
  process.stdout.write(`rows-xxh64x2: ${module.length} bytes of WebAssembly\n`);
}
