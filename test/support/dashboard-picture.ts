/** Renders docs/dashboard.png anew, by Chromium: `node test/support/dashboard-picture.ts`. Run it when the page looks different. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardPage } from '../../src/report/dashboard/page.ts';
import { Browser, chromium } from './browser.ts';
import { pictureReport } from './status-reports.ts';

/** Of the window; the picture is scaled down to 832 × 975. */
const WIDTH = 1024;
const HEIGHT = 1200;
const SCALE = 0.8125;

const found = chromium();
if ('skipped' in found) throw new Error(found.skipped);
const browser = await Browser.start(found.program);
try {
  const page = await browser.newPage();
  const size = { width: WIDTH, height: HEIGHT, deviceScaleFactor: SCALE, mobile: false };
  await page.send('Emulation.setDeviceMetricsOverride', size);
  await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: 'light' }] });
  const html = dashboardPage(pictureReport(), { version: '1.0.0', redact: (text) => text });
  await page.open(`data:text/html;base64,${Buffer.from(html).toString('base64')}`);
  writeFileSync(fileURLToPath(new URL('../../docs/dashboard.png', import.meta.url)), await page.picture());
} finally {
  await browser.close();
}
