import { cpSync, globSync } from 'node:fs';
import path from 'node:path';

const { INPUT_NAME: name, INPUT_PATH: wanted, ARTIFACTS: folder } = process.env;
const patterns = wanted.split('\n').map((line) => line.trim());
const files = globSync(patterns.filter((pattern) => pattern !== ''));
if (files.length === 0) console.log(`::warning::No files were found with the provided path: ${wanted}`);
for (const file of files) cpSync(file, path.join(folder, name, path.basename(file)), { recursive: true });
