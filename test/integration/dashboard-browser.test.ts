/** The dashboard as a browser shows it: on a phone and on a desk, light and dark, to eyes, keyboards and screen readers. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardPage } from '../../src/report/dashboard/page.ts';
import { describeWith } from '../support/availability.ts';
import { Browser, chromium, type Page } from '../support/browser.ts';
import { evenly, finding, NOW, reportOf, richReport, seriesOf } from '../support/status-reports.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const OPTIONS = { version: '1.0.0', redact: (text: string) => text };
const WORD = 'x'.repeat(300);
/** Long words everywhere, as paths and messages have them. */
const LONG = reportOf({
  series: [
    seriesOf('a'.repeat(63), {
      backups: evenly(3, 3, { label: 'l'.repeat(40) }),
      findings: [finding('critical', 'long', { series: 'a'.repeat(63), seen: WORD, action: `\`${WORD}\`` })],
    }),
  ],
  destinations: [{ location: `/${WORD}`, error: WORD }],
  verified: { sets: 1, bytes: 1, damaged: [WORD] },
});
const PAGES = {
  rich: dashboardPage(richReport(), { ...OPTIONS, runUrl: 'https://github.com/acme/shop/actions/runs/7' }),
  long: dashboardPage(LONG, OPTIONS),
  empty: dashboardPage({ ...reportOf({ series: [] }), destinations: [], storage: { bytes: 0 } }, OPTIONS),
};
const SCREENS = [
  { width: 360, height: 800, scheme: 'light' },
  { width: 360, height: 800, scheme: 'dark' },
  { width: 1280, height: 900, scheme: 'light' },
  { width: 1280, height: 900, scheme: 'dark' },
] as const;
type Screen = (typeof SCREENS)[number];
const NAMED_SCREENS = SCREENS.map((screen) => [`${screen.width}×${screen.height}, ${screen.scheme}`, screen] as const);

/** What is wider than the page, or pushed out of it, though it has no region of its own to scroll in. */
const OUTSIDE = `[
  ...(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : []),
  ...[...document.querySelectorAll('body *')]
    .filter((each) => !each.closest('.scroll, pre, .hidden, details:not([open]) > :not(summary)'))
    .filter((each) => { const box = each.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth + 0.5; })
    .map((each) => each.outerHTML.slice(0, 120)),
  ...[...document.querySelectorAll('.scroll')].filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.ariaLabel),
]`;
const AUDIT = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
  .then(({ violations }) => violations.map(({ id, help, nodes }) => id + ': ' + help + ': ' + nodes[0].html.slice(0, 200) + ' ' + nodes[0].failureSummary))`;

describeWith(chromium(), 'the dashboard in Chromium', ({ program }) => {
  let browser: Browser;
  let server: Server;
  let origin: string;
  const asked: string[] = [];

  beforeAll(async () => {
    browser = await Browser.start(program);
    const served: Readonly<Record<string, string>> = {
      ...PAGES,
      spoilt:
        '<!doctype html><title>x</title><img src="/else.png"><p style="width:2000px;color:#ccc">wide</p><script>console.error("oh")</script>',
    };
    server = createServer(({ url = '' }, response) => {
      asked.push(url);
      const page = served[url.slice(1)];
      response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    server?.closeAllConnections();
    server?.close();
    await browser?.close();
  });

  async function open(name: string, { width, height, scheme }: Screen = SCREENS[0]): Promise<Page> {
    const page = await browser.newPage();
    await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await page.open(`${origin}/${name}`);
    return page;
  }

  async function audit(page: Page): Promise<string[]> {
    await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
    await page.evaluate(AXE);
    return page.evaluate<string[]>(AUDIT);
  }

  function complaints({ events }: Page): unknown[] {
    const kinds = ['Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Log.entryAdded', 'Network.loadingFailed'];
    return events.filter(({ method }) => kinds.includes(method));
  }

  describe.each(Object.keys(PAGES))('the %s one', (name) => {
    test.each(NAMED_SCREENS)('at %s: stays within the screen, and passes the audit', async (_, screen) => {
      const page = await open(name, screen);
      expect(await page.evaluate<string[]>(OUTSIDE)).toEqual([]);
      expect(await audit(page)).toEqual([]);
      // The tables that were folded, too.
      expect(await page.evaluate<string[]>(OUTSIDE)).toEqual([]);
    });

    test('asks nobody for anything and complains of nothing', async () => {
      asked.length = 0;
      const page = await open(name, SCREENS[2]);
      await page.evaluate('scrollTo(0, document.body.scrollHeight)');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(complaints(page)).toEqual([]);
      const requests = page.events.filter(({ method }) => method === 'Network.requestWillBeSent');
      const urls = requests.map(({ params }) => (params as { request: { url: string } }).request.url);
      expect(urls.filter((url) => !url.startsWith('data:'))).toEqual([`${origin}/${name}`]);
      expect(asked).toEqual([`/${name}`]);
    });
  });

  test('a page that asks for more, is too wide and cannot be read would be found out', async () => {
    const page = await open('spoilt');
    const outside = await page.evaluate<string[]>(OUTSIDE);
    expect(outside[0]).toBe('the page scrolls sideways');
    expect(outside.join()).toContain('wide</p>');
    const found = (await audit(page)).map((each) => each.split(':')[0]);
    expect(found).toEqual(expect.arrayContaining(['color-contrast', 'html-has-lang', 'image-alt']));
    expect(asked).toContain('/else.png');
    expect(JSON.stringify(complaints(page))).toContain('oh');
  });

  test('its policy stops a script, a style and a picture that somebody brought in', async () => {
    const page = await open('rich');
    await page.evaluate(`{
      const script = document.createElement('script'); script.textContent = 'window.ran = true'; document.body.append(script);
      const picture = document.createElement('img'); picture.src = '/picture.png'; document.body.append(picture);
      const style = document.createElement('style'); style.textContent = 'body{display:none}'; document.head.append(style);
    }`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await page.evaluate('[window.ran ?? false, getComputedStyle(document.body).display]')).toEqual([
      false,
      'block',
    ]);
    expect(asked).not.toContain('/picture.png');
  });

  test('its colours follow the scheme', async () => {
    const background = 'getComputedStyle(document.body).backgroundColor';
    expect(await (await open('rich', SCREENS[0])).evaluate(background)).toBe('rgb(244, 246, 248)');
    expect(await (await open('rich', SCREENS[1])).evaluate(background)).toBe('rgb(14, 17, 23)');
  });

  test('is printed in ink on white, with its tables unfolded', async () => {
    const page = await open('rich', SCREENS[3]);
    await page.send('Emulation.setEmulatedMedia', {
      media: 'print',
      features: [{ name: 'prefers-color-scheme', value: 'dark' }],
    });
    expect(
      await page.evaluate(`[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
        document.querySelector('details table').getBoundingClientRect().height > 100]`),
    ).toEqual(['rgb(255, 255, 255)', 'rgb(27, 33, 43)', true]);
  });

  test('screen readers hear what the pictures show, and each day of the calendar', async () => {
    const page = await open('rich');
    const { nodes } = await page.send<{ nodes: AccessibleNode[] }>('Accessibility.getFullAXTree');
    const images = nodes.filter(({ ignored, role }) => !ignored && (role?.value === 'image' || role?.value === 'img'));
    expect(images.length).toBe(8);
    for (const { name } of images) expect(name?.value).toMatch(/^(Size|Duration|Recovery time) of .+ from .+/);
    const said = nodes.flatMap(({ ignored, role, name }) =>
      !ignored && role?.value === 'StaticText' ? name?.value : [],
    );
    expect(said).toContain('21 Nov: missed, today');
    const landmarks = nodes.flatMap(({ ignored, role }) => (ignored ? [] : role?.value));
    for (const landmark of ['banner', 'navigation', 'main', 'contentinfo']) expect(landmarks).toContain(landmark);
  });

  test('every stop of the keyboard can be seen', async () => {
    const page = await open('rich', SCREENS[2]);
    const stops: string[] = [];
    for (let stop = 0; stop < 60; stop += 1) {
      await page.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 });
      await page.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 });
      const [name, outline] = await page.evaluate<[string, string]>(
        '[document.activeElement.tagName, getComputedStyle(document.activeElement).outline]',
      );
      if (name === 'BODY') break;
      expect(outline, `stop ${stop}, ${name}`).toContain('solid 3px');
      stops.push(name);
    }
    expect(new Set(stops)).toEqual(new Set(['A', 'SUMMARY', 'DIV']));
  });

  test('opened from a disk it is the same', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dashboard-'));
    try {
      const file = path.join(folder, 'dashboard.html');
      await writeFile(file, PAGES.rich);
      const page = await browser.newPage();
      await page.open(`file://${file}`);
      expect(complaints(page)).toEqual([]);
      expect(await page.evaluate('document.querySelector("time").dateTime')).toBe(NOW.toISOString());
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

interface AccessibleNode {
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
}
