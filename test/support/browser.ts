/** A real Chromium, driven through its debugging protocol, for pages that are opened as files. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PROGRAMS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'chrome'];
const START_LIMIT_MS = 60_000;
const CALL_LIMIT_MS = 60_000;

interface Answer {
  id?: number;
  method?: string;
  sessionId?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

export interface BrowserEvent {
  method: string;
  params: unknown;
}

/** Its program, or why there is none. */
export function chromium(): { program: string } | { skipped: string } {
  const named = process.env.CHROMIUM;
  for (const program of named === undefined ? PROGRAMS : [named]) {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0) return { program };
  }
  return { skipped: 'chromium is not on this machine; apt-get install chromium-headless-shell' };
}

/** One page. Every event of it is kept. */
export class Page {
  readonly events: BrowserEvent[] = [];
  readonly #browser: Browser;
  readonly #session: string;

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  send<T = unknown>(method: string, params: object = {}): Promise<T> {
    return this.#browser.send<T>(method, params, this.#session);
  }

  /** What the expression is, as JSON can say it; promises are awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }

  /** Waits until it was loaded. */
  async open(url: string): Promise<void> {
    const before = this.events.length;
    await this.send('Page.navigate', { url });
    const limit = Date.now() + CALL_LIMIT_MS;
    while (!this.events.slice(before).some(({ method }) => method === 'Page.loadEventFired')) {
      if (Date.now() > limit) throw new Error(`${url} was not loaded`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** A picture in PNG of what the window shows, or of the whole page. */
  async picture(whole = false): Promise<Buffer> {
    const { data } = await this.send<{ data: string }>('Page.captureScreenshot', { captureBeyondViewport: whole });
    return Buffer.from(data, 'base64');
  }
}

export class Browser {
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #pages = new Map<string, Page>();
  #calls = 0;

  private constructor(process: ChildProcess, socket: WebSocket, folder: string) {
    this.#process = process;
    this.#socket = socket;
    this.#folder = folder;
    socket.addEventListener('message', ({ data }) => this.#hear(JSON.parse(String(data)) as Answer));
  }

  static async start(program: string): Promise<Browser> {
    const folder = await mkdtemp(path.join(tmpdir(), 'browser-'));
    const args = [
      '--headless',
      // Root has no sandbox of its own; the pages are ours.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      '--hide-scrollbars',
      '--force-color-profile=srgb',
      `--user-data-dir=${folder}`,
      '--remote-debugging-port=0',
      'about:blank',
    ];
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    try {
      const socket = new WebSocket(await debuggingAddress(child));
      await new Promise((resolve, reject) => {
        socket.addEventListener('open', resolve, { once: true });
        socket.addEventListener('error', () => reject(new Error('the browser does not answer')), { once: true });
      });
      return new Browser(child, socket, folder);
    } catch (error) {
      killGroup(child);
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  send<T>(method: string, params: object, sessionId?: string): Promise<T> {
    const id = ++this.#calls;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.#waiting.get(id)?.reject(new Error(`${method}: no answer`)), CALL_LIMIT_MS);
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
      };
      this.#waiting.set(id, {
        resolve: (value) => {
          settle();
          resolve(value as T);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  }

  /** An empty page that tells of everything that it does. */
  async newPage(): Promise<Page> {
    const { targetId } = await this.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const attached = { targetId, flatten: true };
    const { sessionId } = await this.send<{ sessionId: string }>('Target.attachToTarget', attached);
    const page = new Page(this, sessionId);
    this.#pages.set(sessionId, page);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility']) await page.send(`${domain}.enable`);
    return page;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#socket.close();
    killGroup(this.#process);
    await ended;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #hear({ id, method, sessionId, params, result, error }: Answer): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error.message));
    } else if (method !== undefined && sessionId !== undefined) {
      this.#pages.get(sessionId)?.events.push({ method, params });
    }
  }
}

/** What is started by this name may be a script that starts the browser, which starts others. */
function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`the browser did not start: ${said}`)), START_LIMIT_MS);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the browser ended at once: ${said}`)));
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const address = /ws:\/\/\S+/.exec(said)?.[0];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}
