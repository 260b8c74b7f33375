/// <reference lib="dom" />
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'puppeteer-core';
import type { CheckReport } from '../dist/check.js';
import type { BootReport } from '../dist/index.js';
import { inlineJson, inlineScript } from '../dist/report/render-report.js';
import { run } from './helpers/run.js';

// A browser and several boots of a large machine: on a busy machine that takes a while.
jest.setTimeout(300_000);

/** A real Chromium when one can be started here; else the tests that need it say so and check the file. */
async function launch(): Promise<Browser | undefined> {
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    const { default: puppeteer } = await import('puppeteer-core');
    return await puppeteer.launch({
      executablePath: await chromium.executablePath(),
      args: ['--no-sandbox'],
      headless: 'shell',
      timeout: 0,
      protocolTimeout: 0,
    });
  } catch (error) {
    console.warn(`no Chromium here: ${String(error)}`);
    return undefined;
  }
}

let folder: string;
let file: string;
let html: string;
let result: { boot: BootReport; check: CheckReport };
let browser: Browser | undefined;

beforeAll(async () => {
  // The page of this source, also where only tsc has run.
  await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL('../page/bundle.mjs', import.meta.url)),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  file = join(folder, 'report.html');
  const outcome = await run(['report', '-o', file, '--rounds', '1', '--threads', '2', '--json']);
  expect(outcome.code).toBe(0);
  result = JSON.parse(outcome.out) as typeof result;
  html = await readFile(file, 'utf8');
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

/** Opens the page, hands over everything that went wrong in it. */
async function open(
  scheme: 'light' | 'dark',
): Promise<{ page: Page; troubles: string[] } | undefined> {
  if (browser === undefined) return undefined;
  const page = await browser.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url()))
      troubles.push(`asks the network for ${request.url()}`);
  });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('html[data-ready]', { timeout: 0 });
  return { page, troubles };
}

test('the page is one file: nothing in it refers to another one', () => {
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)="(?!data:)[^"#]/);
  expect(html.length).toBeGreaterThan(250_000);
  expect(html).not.toMatch(/'@(script|style)'/);
});

test.each(['light', 'dark'] as const)(
  'the %s page renders without an error and without the network',
  async (scheme) => {
    const opened = await open(scheme);
    if (opened === undefined) return;
    const { page, troubles } = opened;
    expect(troubles).toEqual([]);
    const figures = await page.$$eval('figure', (all) =>
      all.map((one) => [one.id, one.querySelectorAll('svg rect, svg path, svg circle').length]),
    );
    for (const [id, marks] of figures) {
      if (id !== 'unaccepted-figure')
        expect({ id, drawn: Number(marks) > 3 }).toEqual({ id, drawn: true });
    }
    const [ground, ink] = await page.evaluate(() => {
      const style = getComputedStyle(document.body);
      return [style.backgroundColor, style.color];
    });
    expect(ground).not.toBe(ink);
    await page.close();
  },
);

test('figures on the page equal the JSON', async () => {
  const opened = await open('light');
  if (opened === undefined) return;
  const { page } = opened;
  const cards = await page.$$eval('[data-figure]', (all) =>
    all.map((one): [string, number] => [
      one.getAttribute('data-figure') ?? '',
      Number(one.getAttribute('data-value')),
    ]),
  );
  expect(new Map(cards)).toEqual(
    new Map(
      Object.entries({
        memory: result.boot.machine.memoryBytes,
        nodes: result.boot.machine.nodeCount,
        cpus: result.boot.machine.cpuCount,
        'first-allocation': result.boot.timing.firstAllocationMs,
        total: result.boot.timing.totalMs,
        rate: result.boot.timing.pagesPerSecond,
        equal: result.check.equal,
      }),
    ),
  );
  const zones = await page.$$eval('#zone-table tbody tr', (rows) =>
    rows.map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent.replace(/,/g, '')),
    ),
  );
  expect(zones).toEqual(
    result.boot.zones.map((zone) =>
      [
        zone.nid,
        zone.name,
        `0x${zone.startPfn.toString(16)}`,
        zone.spannedPages,
        zone.presentPages,
        zone.managedPages,
        zone.freePages,
        zone.unacceptedPages,
        zone.min,
        zone.low,
        zone.high,
      ].map(String),
    ),
  );
  expect(await page.$eval('#buddyinfo', (one) => one.textContent)).toBe(result.boot.buddyinfo);
  expect(await page.$$eval('#check-table tbody tr', (rows) => rows.length)).toBe(
    result.check.facts.length,
  );
  await page.close();
});

test('the map works with the keyboard, filters and theme with buttons', async () => {
  const opened = await open('light');
  if (opened === undefined) return;
  const { page, troubles } = opened;
  const view = () =>
    page.$eval('#map-figure', (one) => [
      Number((one as HTMLElement).dataset['from']),
      Number((one as HTMLElement).dataset['to']),
    ]);
  const [from, to] = await view();
  await page.focus('#map-figure');
  await page.keyboard.press('+');
  const [closeFrom, closeTo] = await view();
  expect(closeTo! - closeFrom!).toBeCloseTo((to! - from!) / 2, -6);
  await page.keyboard.press('ArrowRight');
  expect((await view())[0]).toBeGreaterThan(closeFrom!);
  await page.keyboard.press('Home');
  expect(await view()).toEqual([from, to]);
  await page.focus('#map-tools button:nth-of-type(4)');
  await page.keyboard.press('Enter');
  expect((await view())[1]).toBe(2 ** 20);
  await page.click('#check-tools button[data-filter="differs"]');
  expect(await page.$$eval('#check-table tbody tr:not(.hidden)', (rows) => rows.length)).toBe(
    result.check.differs,
  );
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await page.click('#theme');
  expect(await ground()).not.toBe(before);
  expect(troubles).toEqual([]);
  await page.close();
});

test('printing gives pages with the figures and without the controls', async () => {
  const opened = await open('dark');
  if (opened === undefined) return;
  const { page } = opened;
  await page.emulateMediaType('print');
  expect(await page.$eval('.tools', (one) => getComputedStyle(one).display)).toBe('none');
  const pdf = await page.pdf({ format: 'A4' });
  expect(Buffer.from(pdf).subarray(0, 5).toString()).toBe('%PDF-');
  await page.close();
});

test('a page of a machine with unaccepted memory draws its course over time', async () => {
  const other = join(folder, 'unaccepted.html');
  const outcome = await run([
    'report',
    '-o',
    other,
    '--rounds',
    '1',
    '--memory',
    '4G',
    '--unaccepted',
    '2G',
    '--quiet',
  ]);
  expect(outcome).toEqual({ code: 0, out: '', err: '' });
  if (browser === undefined) return;
  const page = await browser.newPage();
  await page.goto(pathToFileURL(other).href);
  await page.waitForSelector('html[data-ready]', { timeout: 0 });
  expect(await page.$$eval('#unaccepted-figure svg path', (all) => all.length)).toBeGreaterThan(1);
  await page.close();
});

test('a page that cannot be written is a failure with its path', async () => {
  const outcome = await run([
    'report',
    '-o',
    join(folder, 'no', 'where.html'),
    '--rounds',
    '1',
    '--memory',
    '1G',
  ]);
  expect(outcome.code).toBe(1);
  expect(outcome.err).toMatch(/cannot write .*where\.html/);
});

test('nothing inlined can end its script element', () => {
  expect(inlineScript('a("</script>"); b("</SCRIPT"); // <!-- c')).toBe(
    'a("<\\/script>"); b("<\\/SCRIPT"); // <\\!-- c',
  );
  expect(JSON.parse(inlineJson({ text: '</script><!--' }))).toEqual({ text: '</script><!--' });
  expect(inlineJson('</script>')).not.toContain('<');
});
