// What the page does in a browser: tools/browser/report.mjs.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { explainMachine } from '../dist/explain/explain-machine.js';
import { loadMachine } from '../dist/index.js';
import { findingsHtml, memoryHtml } from '../dist/report/memory-section.js';
import { inlineJson, inlineScript } from '../dist/report/render-report.js';
import { run } from './helpers/run.js';
import { validate } from './helpers/schemas.js';

// Several boots of a large machine: on a busy machine that takes a while.
jest.setTimeout(300_000);

let folder: string;
let file: string;
let html: string;

beforeAll(async () => {
  // The page of this source, also where only tsc has run.
  await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL('../page/bundle.mjs', import.meta.url)),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  file = join(folder, 'report.html');
  const outcome = await run(['report', '-o', file, '--rounds', '1', '--threads', '2', '--json']);
  expect(outcome.code).toBe(0);
  const report = JSON.parse(outcome.out) as object;
  expect(report).toMatchObject({ output: file, boot: {}, check: {} });
  expect(report).toMatchObject({ model: { nodes: 4, cpusPerNode: 1 } });
  await validate('report', report);
  html = await readFile(file, 'utf8');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('the page is one file: nothing in it refers to another one', () => {
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)="(?!data:)[^"#]/);
  expect(html.length).toBeGreaterThan(250_000);
  expect(html).not.toMatch(/'@(script|style)'/);
});

test('a page of a machine with unaccepted memory is written without a word', async () => {
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

test('findings and where the memory went stand in the page without a script', async () => {
  const html = memoryHtml(explainMachine(await loadMachine(undefined)));
  expect(html).toContain('Reserved by the kernel');
  expect(html).toMatch(/<svg class="waterfall"[^>]*role="img"/);
  const bad = {
    id: 'x',
    severity: 'error',
    message: 'a <b> & "c"',
    remedy: 'none',
    line: 3,
  } as const;
  expect(findingsHtml([bad])).toContain('(line 3): a &lt;b&gt; &amp; &quot;c&quot;');
  expect(findingsHtml([])).toContain('Nothing');
  expect(memoryHtml(undefined)).toContain('Not worked out');
});
