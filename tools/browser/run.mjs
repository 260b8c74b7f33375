// `npm run test:browser`: bundles the test page as a user would, opens it in headless Chromium, once isolated and
// once not, and reports what its tests say. Ends with `browser: N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';
import puppeteer from 'puppeteer-core';
import { build } from 'vite';
import { bootMemory, loadMachine } from 'bootmem';
import { explainMachine } from 'bootmem/browser';
import { reportChecks } from './report.mjs';
import { serve } from './serve.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const output = mkdtempSync(join(tmpdir(), 'bootmem-browser-'));
const SAMPLE = fileURLToPath(
  new URL('../../packages/bootmem/samples/k61-4n-odd/dmesg.txt', import.meta.url),
);
/** What the demo page must show: the same machine, brought up in Node. */
const machine = await bootMemory((await loadMachine(undefined)).description, { threads: 1 });
const SAMPLE_BUDDYINFO = machine.buddyinfo();
await machine.close();

/** A log of one's own in the demo: pasted, then a file. @returns what went wrong */
async function explains(page) {
  const errors = [];
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const wanted = explainMachine(await loadMachine(SAMPLE));
  const rows = wanted.levels.reduce((sum, level) => sum + level.rows.length, 0);
  const text = readFileSync(SAMPLE, 'utf8');
  await page.$eval('#own-log', (box, log) => (box.value = log), text);
  await page.click('#own button');
  await page.waitForFunction('document.documentElement.dataset.explained === "pasted log"');
  const shown = await page.$eval('#own-result', (node) => [
    node.querySelectorAll('tr').length,
    node.textContent.includes('page descriptors'),
  ]);
  if (shown[0] < rows || !shown[1]) errors.push(`the pasted log shows ${shown}, not ${rows} rows`);
  const file = await page.$('#own-file');
  await file.uploadFile(SAMPLE);
  await page.waitForFunction('document.documentElement.dataset.explained === "dmesg.txt"');
  const machines = await page.$$eval('#machine option', (all) => all.map((one) => one.textContent));
  if (machines.at(-1) !== 'Yours: dmesg.txt') errors.push(`machines: ${machines}`);
  await page.$eval('#own-log', (box) => (box.value = 'no log'));
  await page.click('#own button');
  await page.waitForFunction('document.querySelector("#own-notice").textContent !== ""');
  if (asked.length > 0) errors.push(`explaining asks for ${asked}`);
  return errors;
}

let passed = 0;
let failed = 0;

try {
  await build({
    root: here,
    logLevel: 'warn',
    base: './',
    build: { outDir: output, emptyOutDir: true, target: 'es2022', minify: false },
    worker: { format: 'es' },
  });
  const demo = join(output, 'demo');
  await build({
    configFile: join(here, '../../docs/demo/vite.config.mjs'),
    build: { outDir: demo, emptyOutDir: true },
  });
  let browser;
  try {
    browser = await puppeteer.launch({
      executablePath: process.env.CHROMIUM_PATH ?? (await chromium.executablePath()),
      headless: true,
      timeout: 300_000,
      protocolTimeout: 300_000,
      // Not the package's own arguments: those switch cross-origin isolation off.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  } catch (error) {
    // A machine without Chromium's system libraries: say so loudly; CI sets BOOTMEM_REQUIRE_BROWSER where it must not pass.
    console.error(
      `\n*** BROWSER TESTS NOT RUN: Chromium does not start here ***\n${error.message}\n`,
    );
    if (process.env.BOOTMEM_REQUIRE_BROWSER === '1') throw error;
    rmSync(output, { recursive: true, force: true });
    process.exit(0);
  }
  try {
    for (const isolated of [true, false]) {
      const server = await serve(output, { isolated });
      const page = await browser.newPage();
      const messages = [];
      page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => messages.push(`error: ${error.message}`));
      await page.goto(server.url);
      await page.waitForFunction('globalThis.results !== undefined', { timeout: 300_000 });
      const results = await page.evaluate('globalThis.results');
      for (const { name, error } of results) {
        if (error === undefined) passed += 1;
        else failed += 1;
        console.log(
          `${error === undefined ? 'ok  ' : 'FAIL'} ${isolated ? 'isolated' : 'not isolated'}: ${name}${error === undefined ? '' : `\n     ${error}`}`,
        );
      }
      const errors = messages.filter((message) => message.startsWith('error'));
      if (errors.length > 0) {
        failed += 1;
        console.log(`FAIL console errors:\n     ${errors.join('\n     ')}`);
      }
      if (!isolated) {
        const notice = messages.some((message) =>
          /^warn(ing)?: .*cross-origin isolat/i.test(message),
        );
        if (notice) passed += 1;
        else failed += 1;
        console.log(`${notice ? 'ok  ' : 'FAIL'} not isolated: a clear notice on the console`);
      }
      await page.close();

      const demoPage = await browser.newPage();
      const demoErrors = [];
      demoPage.on('console', (message) => {
        if (message.type() === 'error') demoErrors.push(message.text());
      });
      demoPage.on('pageerror', (error) => demoErrors.push(error.message));
      await demoPage.goto(`${server.url}demo/`);
      await demoPage
        .waitForFunction('document.documentElement.dataset.booted', { timeout: 300_000 })
        .catch((error) => demoErrors.push(error.message));
      const buddyinfo = await demoPage.$eval('#buddyinfo', (node) => node.textContent);
      if (buddyinfo !== SAMPLE_BUDDYINFO)
        demoErrors.push(`buddyinfo differs from Node's:\n${buddyinfo}`);
      demoErrors.push(...(await explains(demoPage)));
      if (demoErrors.length === 0) passed += 1;
      else failed += 1;
      console.log(
        `${demoErrors.length === 0 ? 'ok  ' : 'FAIL'} ${isolated ? 'isolated' : 'not isolated'}: the demo boots the sample and explains a log as Node does, asking nobody${demoErrors.map((error) => `\n     ${error}`).join('')}`,
      );
      await demoPage.close();
      await server.stop();
    }
    for (const [name, check] of reportChecks(browser, output)) {
      const error = await check().then(
        () => undefined,
        (thrown) => thrown,
      );
      if (error === undefined) passed += 1;
      else failed += 1;
      console.log(error === undefined ? `ok   ${name}` : `FAIL ${name}\n     ${error.stack}`);
    }
  } finally {
    await browser.close();
  }
} catch (error) {
  failed += 1;
  console.error(error);
} finally {
  rmSync(output, { recursive: true, force: true });
}
if (passed === 0) failed += 1;
console.log(`browser: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
