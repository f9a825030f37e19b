/** Programs of another system, as a cache may hold. */
import { open } from 'node:fs/promises';

/**
 * Whether the file is an ELF program of another kind than the one that runs this. It must not be tried: what the kernel
 * refuses, `execvp` hands to /bin/sh, which would take its bytes for a script.
 */
export async function isForeignProgram(file: string): Promise<boolean> {
  const [kind, own] = [await elfKind(file), await elfKind(process.execPath)];
  return kind !== undefined && kind !== own;
}

/** Word size, byte order and processor: `EI_CLASS`, `EI_DATA` and `e_machine` of elf(5). */
async function elfKind(file: string): Promise<string | undefined> {
  await using program = await open(file).catch(() => undefined);
  // It may be run all the same.
  if (program === undefined) return undefined;
  const { buffer: header } = await program.read(Buffer.alloc(20), 0, 20, 0);
  if (header.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  return header.toString('hex', 4, 6) + header.toString('hex', 18, 20);
}
