/** The runner's side of workflow commands: what it makes of a step's output and of the files that it gives to a step. */
import { readdirSync } from 'node:fs';
import path from 'node:path';

export interface WorkflowCommand {
  name: string;
  properties: Record<string, string>;
  message: string;
}

export interface Annotation {
  kind: 'error' | 'warning' | 'notice';
  title: string;
  /** Masked. */
  message: string;
}

export interface ReadOutput {
  commands: WorkflowCommand[];
  /** As a user sees it: commands carried out, every masked value as `***`. */
  maskedLog: string;
  annotations: Annotation[];
  /** Titles of groups in the order in which they were opened. */
  groups: string[];
  /** What add-mask asked for. */
  masks: string[];
}

const ANNOTATIONS: readonly string[] = ['error', 'warning', 'notice'];
/** The runner carries these out and shows nothing of them. */
const SILENT = ['add-mask', 'debug', 'save-state', 'set-output', 'echo', 'add-matcher', 'remove-matcher'];

export function parseOutput(stdout: string): ReadOutput {
  const read: ReadOutput = { commands: [], maskedLog: '', annotations: [], groups: [], masks: [] };
  const lines: string[] = [];
  const masked = (text: string) =>
    read.masks.toSorted((a, b) => b.length - a.length).reduce((line, mask) => line.replaceAll(mask, '***'), text);
  for (const line of stdout.replace(/\n$/, '').split(/\r\n|\r|\n/)) {
    const command = parseCommand(line);
    if (command === undefined) {
      lines.push(masked(line));
      continue;
    }
    read.commands.push(command);
    const { name, properties, message } = command;
    if (name === 'add-mask') read.masks.push(...masksOf(message));
    if (name === 'group') read.groups.push(masked(message));
    if (ANNOTATIONS.includes(name)) {
      const kind = name as Annotation['kind'];
      read.annotations.push({ kind, title: masked(properties.title ?? ''), message: masked(message) });
    }
    if (!SILENT.includes(name)) lines.push(masked(`##[${name}]${message}`));
  }
  return { ...read, maskedLog: lines.join('\n') };
}

/** `::name key=value,…::message`, also after white space; undefined for any other line. */
export function parseCommand(line: string): WorkflowCommand | undefined {
  const match = /^\s*::([^\s:]+)(?:\s+(.*?))?::(.*)$/s.exec(line);
  if (match === null) return undefined;
  const [, name = '', keys = '', message = ''] = match;
  const pairs = keys.split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [] : [[pair.slice(0, at).trim(), decode(pair.slice(at + 1), true)] as const];
  });
  return { name, properties: Object.fromEntries(pairs), message: decode(message, false) };
}

/** The whole value and each of its lines, trimmed. */
function masksOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  return [...new Set([value, ...lines])].filter((mask) => mask !== '');
}

function decode(text: string, property: boolean): string {
  const more = property ? text.replaceAll('%3A', ':').replaceAll('%2C', ',') : text;
  return more.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

/** `name=value` lines and `name<<delimiter` blocks, as GITHUB_OUTPUT, GITHUB_STATE and GITHUB_ENV hold them. */
export function parseFileCommand(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] as string;
    const block = /^([^=]+?)<<(.+)$/.exec(line);
    if (block !== null) {
      const end = lines.indexOf(block[2] as string, index + 1);
      if (end < 0) throw new Error(`a value of ${block[1]} is not ended by ${block[2]}`);
      values[block[1] as string] = lines.slice(index + 1, end).join('\n');
      index = end;
    } else if (line !== '') {
      const at = line.indexOf('=');
      if (at < 0) throw new Error(`not a file command: ${line}`);
      values[line.slice(0, at)] = line.slice(at + 1);
    }
  }
  return values;
}

/** Files and empty folders, relative, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}
