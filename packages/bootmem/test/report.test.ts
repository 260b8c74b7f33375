// What the page does in a browser: tools/browser/report.mjs.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { timelineHtml } from '../dist/report/drawings/timeline.js';
import type { ExplainReport } from '../dist/explain-result.js';
import type { BootReport } from '../dist/result.js';
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
  expect(html.length).toBeGreaterThan(100_000);
  expect(html).not.toMatch(/@(script|style|title|heading|log|cards|map|zones|checks)\b(?! *\()/);
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

test('the policy allows the one script of the page, by its hash, and no request', () => {
  const script = /<script>([\s\S]*?)<\/script>/.exec(html)![1]!;
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = /Content-Security-Policy"\s+content="([^"]*)"/.exec(html)![1]!;
  expect(policy).toContain(`script-src 'sha256-${hash}';`);
  expect(policy).toMatch(/^default-src 'none';/);
  expect(policy).not.toContain("script-src 'unsafe-inline'");
});

test('every figure is drawn in the page, and each drawing has a title first', () => {
  for (const id of ['map', 'zones', 'timeline', 'blocks', 'scaling']) {
    const figure = new RegExp(`<figure id="${id}-figure"[\\s\\S]*?</figure>`).exec(html)![0];
    expect([id, figure.match(/<(?:rect|circle) /g)!.length > 3]).toEqual([id, true]);
  }
  const drawings = html.match(/<svg [^>]*role="img"[^>]*>(?:<title>)?/g)!;
  expect(drawings.length).toBeGreaterThan(20);
  expect(drawings.filter((one) => !one.endsWith('<title>'))).toEqual([]);
});

test('time runs from 0 on a true scale: the wait takes its share of the line', () => {
  const data = /id="data">([\s\S]*?)<\/script>/.exec(html)![1]!;
  const { boot } = JSON.parse(data) as { boot: BootReport };
  const made = timelineHtml({
    ...boot,
    timing: { ...boot.timing, firstAllocationMs: 30, totalMs: 120 },
    chunks: [{ thread: 1, nid: 0, startPfn: 0, endPfn: 32768, startMs: 60, endMs: 120 }],
  });
  expect(made).toContain('<rect class="wait" x="0" y="0" width="25%"');
  expect(made).toMatch(/<rect x="50%" y="2" width="50.0000%"/);
});

test('a level that passes nearly all on is drawn from near its end', () => {
  const level = {
    id: 'reserved',
    title: 'Reserved',
    whole: { label: 'whole', bytes: 1000, evidence: [] },
    rows: [
      { id: 'a', label: 'a', bytes: 40, evidence: [] },
      { id: 'b', label: 'b', bytes: 20, evidence: [] },
    ],
    rest: { bytes: 0 },
    left: { label: 'left', bytes: 940, evidence: [] },
  };
  const drawn = memoryHtml({ levels: [level] } as unknown as ExplainReport);
  // From 930 to 1000: the whole is cut; the first row takes the last 40 of 70, the second the 20 before them.
  expect(drawn).toContain('from 930 B');
  expect(drawn.match(/class="cut"/g)).toHaveLength(2);
  expect(drawn).toMatch(/class="row" x="42.857%" y="0" width="57.143%"/);
  expect(drawn).toMatch(/class="row" x="14.286%" y="0" width="28.571%"/);
  expect(drawn).toMatch(/class="left" x="0.000%" y="0" width="14.286%"/);
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
