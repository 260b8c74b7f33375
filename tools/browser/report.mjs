// What the page of `bootmem report` does in a browser. Each check is a name and a function that throws.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import axe from 'axe-core';

const cli = fileURLToPath(new URL('../../packages/bootmem/dist/cli.js', import.meta.url));
const bootmem = (...args) =>
  execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });

/** Opens the page; hands over everything that went wrong in it. */
async function open(browser, file, scheme = 'light') {
  const page = await browser.newPage();
  const troubles = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url()))
      troubles.push(`asks the network for ${request.url()}`);
  });
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    // A page that still glides moves its buttons from under the pointer.
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ]);
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('html[data-ready]', { timeout: 300_000 });
  return { page, troubles };
}

async function rendersIn(browser, file, scheme) {
  const { page, troubles } = await open(browser, file, scheme);
  assert.deepEqual(troubles, []);
  const figures = await page.$$eval('figure', (all) =>
    all.map((one) => [one.id, one.querySelectorAll('svg rect, svg line, svg circle').length]),
  );
  for (const [id, marks] of figures)
    if (id !== 'unaccepted-figure') assert.ok(marks > 3, `${id} is drawn`);
  const [ground, ink] = await page.evaluate(() => {
    const style = globalThis.getComputedStyle(document.body);
    return [style.backgroundColor, style.color];
  });
  assert.notEqual(ground, ink);
  await page.close();
}

/** Nothing that makes a page hard to use for somebody, as far as a program can tell. */
async function isUsable(browser, file, scheme, width) {
  const { page } = await open(browser, file, scheme);
  await page.setViewport({ width, height: 900 });
  // Folded parts are looked at too.
  await page.$$eval('details', (all) => all.forEach((one) => one.setAttribute('open', '')));
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(
    violations.map(({ id, nodes }) => [id, nodes[0].html.slice(0, 120), nodes.length]),
    [],
  );
  await page.close();
}

/** On a phone whose browser runs no scripts. */
async function readsWithoutScript(browser, file) {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.setViewport({ width: 390, height: 800, isMobile: true });
  await page.goto(pathToFileURL(file).href);
  const seen = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    figures: [...document.querySelectorAll('figure')].map((one) => [
      one.id,
      one.querySelectorAll('svg title').length,
    ]),
    nameless: document.querySelectorAll('svg[role="img"]:not(:has(> title))').length,
    waterfall: document.querySelectorAll('#memory svg rect').length,
    log: document.querySelector('#log').textContent.length,
    controls: [...document.querySelectorAll('button')].filter((one) => one.offsetParent !== null)
      .length,
    // Sizes of letters do not shrink with the page.
    letters: Math.min(
      ...[...document.querySelectorAll('svg text')].map((one) =>
        Number.parseFloat(globalThis.getComputedStyle(one).fontSize),
      ),
    ),
    // A number is one word: none is broken over two lines.
    broken: [...document.querySelectorAll('td.number')].filter((one) => {
      const text = document.createRange();
      text.selectNodeContents(one);
      return new Set([...text.getClientRects()].map(({ top }) => top)).size > 1;
    }).length,
  }));
  assert.equal(seen.width, 390);
  for (const [id, titles] of seen.figures)
    if (id !== 'unaccepted-figure') assert.ok(titles > 3, `${id} is drawn`);
  assert.ok(seen.waterfall > 10);
  assert.ok(seen.log > 1000);
  assert.ok(seen.letters >= 11);
  assert.deepEqual([seen.nameless, seen.controls, seen.broken], [0, 0, 0]);
  await page.close();
}

async function showsFigures(browser, file, { boot, check }) {
  const { page } = await open(browser, file);
  const cards = await page.$$eval('[data-figure]', (all) =>
    all.map((one) => [one.getAttribute('data-figure'), Number(one.getAttribute('data-value'))]),
  );
  assert.deepEqual(Object.fromEntries(cards), {
    memory: boot.machine.memoryBytes,
    nodes: boot.machine.nodeCount,
    cpus: boot.machine.cpuCount,
    'first-allocation': boot.timing.firstAllocationMs,
    total: boot.timing.totalMs,
    rate: boot.timing.pagesPerSecond,
    equal: check.equal,
  });
  const zones = await page.$$eval('#zone-table tbody tr', (rows) =>
    rows.map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent.replace(/(\d) (?=\d)/g, '$1')),
    ),
  );
  assert.deepEqual(
    zones,
    boot.zones.map((zone) =>
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
  assert.equal(await page.$eval('#buddyinfo', (one) => one.textContent), boot.buddyinfo);
  const facts = await page.$$eval('#check-table tbody tr', (rows) => rows.length);
  assert.equal(facts, check.facts.length);
  await page.close();
}

async function obeysKeys(browser, file, { check }) {
  const { page, troubles } = await open(browser, file);
  const view = () =>
    page.$eval('#map-figure', (one) => [Number(one.dataset.from), Number(one.dataset.to)]);
  const [from, to] = await view();
  await page.focus('#map-figure');
  await page.keyboard.press('+');
  const [closeFrom, closeTo] = await view();
  assert.ok(Math.abs(closeTo - closeFrom - (to - from) / 2) < 5e5);
  await page.keyboard.press('ArrowRight');
  assert.ok((await view())[0] > closeFrom);
  await page.keyboard.press('Home');
  assert.deepEqual(await view(), [from, to]);
  await page.focus('#map-tools button:nth-of-type(4)');
  await page.keyboard.press('Enter');
  assert.equal((await view())[1], 2 ** 20);
  await page.click('#check-tools button[data-filter="differs"]');
  const shown = await page.$$eval('#check-table tbody tr:not(.hidden)', (rows) => rows.length);
  assert.equal(shown, check.differs);
  const ground = () =>
    page.evaluate(() => globalThis.getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await page.click('#theme');
  assert.notEqual(await ground(), before);
  assert.deepEqual(troubles, []);
  await page.close();
}

async function prints(browser, file) {
  const { page } = await open(browser, file, 'dark');
  await page.emulateMediaType('print');
  const display = await page.$eval('.tools', (one) => globalThis.getComputedStyle(one).display);
  assert.equal(display, 'none');
  const pdf = await page.pdf({ format: 'A4' });
  assert.equal(Buffer.from(pdf).subarray(0, 5).toString(), '%PDF-');
  await page.close();
}

async function drawsUnaccepted(browser, file) {
  const { page } = await open(browser, file);
  const lines = await page.$$eval('#unaccepted-figure svg line[stroke]', (all) => all.length);
  assert.ok(lines > 1);
  await page.close();
}

/** The checks, over reports that are written into `folder`. */
export function reportChecks(browser, folder) {
  const file = join(folder, 'report.html');
  const late = join(folder, 'unaccepted.html');
  const result = JSON.parse(
    bootmem('report', '-o', file, '--rounds', '1', '--threads', '2', '--json'),
  );
  assert.ok(readFileSync(file, 'utf8').startsWith('<!doctype html>'));
  const machine = ['--memory', '4G', '--unaccepted', '2G'];
  bootmem('report', '-o', late, '--rounds', '1', ...machine, '--quiet');
  return new Map([
    ['the light report renders without the network', () => rendersIn(browser, file, 'light')],
    ['the dark report renders without the network', () => rendersIn(browser, file, 'dark')],
    ...['light', 'dark'].flatMap((scheme) =>
      [1280, 390].map((width) => [
        `axe finds nothing in the ${scheme} report at ${width} pixels`,
        () => isUsable(browser, file, scheme, width),
      ]),
    ),
    ['the report reads on a phone without scripts', () => readsWithoutScript(browser, file)],
    ["the report's figures equal its JSON", () => showsFigures(browser, file, result)],
    [
      "the report's map obeys keys, filters and theme buttons",
      () => obeysKeys(browser, file, result),
    ],
    ['the report prints its figures without the controls', () => prints(browser, file)],
    ['a report draws the course of unaccepted memory', () => drawsUnaccepted(browser, late)],
  ]);
}
