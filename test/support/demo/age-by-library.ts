/**
 * Stands in for the stock `age` where that cannot be had: decrypts with the `age-encryption` library, which shares no
 * payload code with the action. Understands what RESTORE.md types: `age -d -i IDENTITIES -o OUTPUT INPUT`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Decrypter } from 'age-encryption';

const { values, positionals } = parseArgs({
  options: {
    decrypt: { type: 'boolean', short: 'd' },
    identity: { type: 'string', short: 'i' },
    output: { type: 'string', short: 'o' },
  },
  allowPositionals: true,
});
const [input] = positionals;
if (values.decrypt !== true || values.identity === undefined || values.output === undefined || input === undefined) {
  throw new Error('usage: age -d -i IDENTITIES -o OUTPUT INPUT');
}
const decrypter = new Decrypter();
for (const line of (await readFile(values.identity, 'utf8')).split('\n')) {
  if (line.startsWith('AGE-SECRET-KEY-')) decrypter.addIdentity(line.trim());
}
await writeFile(path.resolve(values.output), await decrypter.decrypt(await readFile(input)));
