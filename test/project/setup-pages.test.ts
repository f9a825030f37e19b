/** The pages of docs/setup: their URLs are what the action says of them, their files are whole, their roles are told apart. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assessPooler } from '../../src/domain/poolers.ts';
import { insteadOfInside, type ProviderId, providerOfHost } from '../../src/domain/providers.ts';
import { fences, namedFiles, readDocument } from '../support/markdown.ts';
import { saveFiles, typeCommands } from '../support/setup-pages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = readdirSync(path.join(ROOT, 'docs/setup')).map((name) => `docs/setup/${name}`);

/** Whose hosts a page shows; `undefined` for nobody's in particular. */
const PROVIDERS: Readonly<Record<string, readonly (ProviderId | undefined)[]>> = {
  'docs/setup/supabase.md': ['supabase'],
  'docs/setup/neon.md': ['neon'],
  'docs/setup/vercel.md': ['vercel'],
  'docs/setup/render.md': ['render'],
  'docs/setup/rds-and-aurora.md': ['rds', 'aurora'],
  'docs/setup/railway.md': ['railway'],
  'docs/setup/own-server.md': [undefined],
};

describe.each(Object.entries(PROVIDERS))('%s', (page, providers) => {
  const rows = [...readDocument(page).matchAll(/^\| `(postgresql:\/\/[^`]+)` \| (yes|only|no)\b/gm)].map(
    ([, url = '', word]) => {
      const { hostname: host, port, username: user, pathname } = new URL(url);
      return { address: { host, port: Number(port || 5432), user, database: pathname.slice(1) }, word };
    },
  );

  test('recommends only URLs that the action knows as the provider’s, and takes', () => {
    const good = rows.filter(({ word }) => word !== 'no').map(({ address }) => address);
    expect(good.length).toBeGreaterThan(0);
    for (const address of good) {
      expect(providers).toContain(providerOfHost(address.host)?.id);
      expect(assessPooler(address)).toBeUndefined();
      expect(insteadOfInside(address.host)).toBeUndefined();
    }
  });

  test('warns only of URLs that the action refuses or explains', () => {
    const bad = rows.filter(({ word }) => word === 'no').map(({ address }) => address);
    expect(bad.length).toBeGreaterThan(0);
    for (const address of bad) {
      expect(assessPooler(address)?.code ?? insteadOfInside(address.host), address.host).toBeDefined();
    }
  });
});

test('every page is in the list of pages', () => {
  const list = readDocument('docs/setup/README.md');
  for (const page of PAGES.filter((each) => !each.endsWith('/README.md'))) {
    expect(list, page).toContain(`](${path.basename(page)})`);
  }
});

test('commands that no test types are not marked as such that are', () => {
  const typed = PAGES.filter((page) => fences(readDocument(page), 'sh').length > 0);
  expect(typed).toEqual(['docs/setup/aws.md', 'docs/setup/ceph.md']);
});

const POLICIES = PAGES.flatMap((page) =>
  [...namedFiles(readDocument(page))]
    .filter(([name]) => /policy|trust/.test(name))
    .map(([name, text]) => ({ page, name, text })),
);

describe.each(POLICIES)('$name of $page', ({ text }) => {
  const { Version, Statement } = JSON.parse(text) as { Version: string; Statement: Record<string, unknown>[] };

  test('is a policy in every statement', () => {
    expect(Version).toBe('2012-10-17');
    expect(Statement.length).toBeGreaterThan(0);
    const ids = Statement.flatMap(({ Sid }) => (Sid === undefined ? [] : [Sid]));
    expect(new Set(ids).size).toBe(ids.length);
    for (const each of Statement) {
      const unknown = Object.keys(each).filter(
        (key) => !['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition'].includes(key),
      );
      expect(unknown).toEqual([]);
      expect(each.Effect).toMatch(/^(?:Allow|Deny)$/);
      for (const action of [each.Action].flat())
        expect(action).toMatch(/^(?:s3:[A-Z][A-Za-z]+|sts:AssumeRoleWithWebIdentity)$/);
    }
  });

  test('allows nothing by a wildcard, and nothing outside of the example’s bucket', () => {
    for (const { Effect, Action, Resource } of Statement) {
      if (Effect === 'Allow') expect([Action].flat().join()).not.toContain('*');
      for (const resource of Resource === undefined ? [] : [Resource].flat()) {
        expect(resource).toMatch(/^arn:aws:s3:::acme-backups(?:\/.+)?$/);
      }
    }
  });
});

test('every block of JSON can be read', () => {
  for (const page of PAGES) for (const text of fences(readDocument(page), 'json')) JSON.parse(text);
});

test('the commands of docs/setup/aws.md save its files, with other names in them', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'files-'));
  try {
    const page = path.join(ROOT, 'docs/setup/aws.md');
    writeFileSync(path.join(folder, 'curl'), `#!/bin/sh\nexec cat '${page}'\n`, { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env.PATH}` };
    await typeCommands('docs/setup/aws.md', 'The files', { folder, env });
    const files = namedFiles(readDocument('docs/setup/aws.md'));
    expect(readdirSync(folder).toSorted()).toEqual(['curl', ...files.keys()].toSorted());
    for (const [name, text] of files) {
      const saved = readFileSync(path.join(folder, name), 'utf8');
      expect(saved, name).not.toMatch(/acme|shop|123456789012|1234567|7654321/);
      expect(saved.split('\n').length, name).toBe(text.split('\n').length);
      JSON.parse(saved);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('The trust policies of docs/setup/aws.md', () => {
  const REPOSITORIES = ['repo:acme@1234567/shop@7654321', 'repo:acme/shop'];
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'trust-'));
    await saveFiles('docs/setup/aws.md', folder);
    await typeCommands('docs/setup/aws.md', 'Who may be which role', { folder });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** As Amazon evaluates `StringEquals`: every key must be there and equal one of its values. */
  function admits(job: string, claims: Record<string, string>): boolean {
    const { Statement } = JSON.parse(readFileSync(path.join(folder, `trust-${job}.json`), 'utf8')) as {
      Statement: [{ Condition: Record<string, Record<string, string | string[]>> }];
    };
    expect(Object.keys(Statement[0].Condition)).toEqual(['StringEquals']);
    return Object.entries(Statement[0].Condition.StringEquals ?? {}).every(([key, values]) =>
      [values].flat().includes(claims[key.replace('token.actions.githubusercontent.com:', '')] ?? ''),
    );
  }
  const claimed = (sub: string, aud = 'sts.amazonaws.com') => ({ sub, aud });

  test.each([
    ['backup', 'ref:refs/heads/main'],
    ['status', 'ref:refs/heads/main'],
    ['drill', 'environment:drill'],
    ['restore', 'environment:restore'],
    ['prune', 'environment:prune'],
  ])('let only its own job be %s, by both forms of a subject', (job, place) => {
    for (const repository of REPOSITORIES) expect(admits(job, claimed(`${repository}:${place}`))).toBe(true);
    const others = ['ref:refs/heads/topic', 'ref:refs/tags/main', 'pull_request', 'environment:production'];
    for (const other of ['backup', 'drill', 'restore', 'prune']) others.push(`environment:${other}`);
    for (const other of [...others, 'ref:refs/heads/main'].filter((each) => each !== place)) {
      for (const repository of REPOSITORIES) expect(admits(job, claimed(`${repository}:${other}`)), other).toBe(false);
    }
    for (const stranger of ['repo:acme/shop2', 'repo:evil/shop', 'repo:acme@1/shop@7654321']) {
      expect(admits(job, claimed(`${stranger}:${place}`)), stranger).toBe(false);
    }
  });

  test('demand the audience that the action asks for', () => {
    expect(admits('backup', claimed('repo:acme/shop:ref:refs/heads/main', 'https://github.com/acme'))).toBe(false);
  });
});
