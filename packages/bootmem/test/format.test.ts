import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import {
  formatAddress,
  formatBytes,
  formatCount,
  formatMemRange,
  formatMs,
  formatPercent,
  formatRate,
} from '../dist/format/numbers.js';
import { createColors } from '../dist/format/colors.js';
import { shown } from '../dist/format/safe/escape.js';
import { compareMarkdown } from '../dist/format/compare-text.js';
import { explainMarkdown } from '../dist/format/explain-text.js';
import { jsonPieces } from '../dist/format/exports/json-pieces.js';
import { formatTable, visibleWidth } from '../dist/format/table.js';

test('sizes take the largest binary unit and at most three digits', () => {
  expect(formatBytes(0)).toBe('0 B');
  expect(formatBytes(1023)).toBe('1023 B');
  expect(formatBytes(4096)).toBe('4 KiB');
  expect(formatBytes(1536)).toBe('1.50 KiB');
  expect(formatBytes(7833 * 2 ** 20)).toBe('7.65 GiB');
  expect(formatBytes(768 * 2 ** 30)).toBe('768 GiB');
  expect(formatBytes(15.5 * 2 ** 30)).toBe('15.5 GiB');
  expect(formatBytes(2 ** 53 - 1)).toBe('8.00 PiB');
});

test('counts are grouped by three from the right', () => {
  expect(formatCount(0)).toBe('0');
  expect(formatCount(999)).toBe('999');
  expect(formatCount(1115391)).toBe('1 115 391');
});

test('addresses and ranges look like the kernel prints them: last byte inclusive', () => {
  expect(formatAddress(0x1000)).toBe('0x0000000000001000');
  expect(formatMemRange(0x1000, 0x9f000)).toBe('[mem 0x0000000000001000-0x000000000009efff]');
});

test('times, rates and shares', () => {
  expect(formatMs(0.1234)).toBe('0.12 ms');
  expect(formatMs(12.34)).toBe('12.3 ms');
  expect(formatMs(1530.4)).toBe('1530 ms');
  expect(formatRate(48_200_000, 'pages')).toBe('48.2 M pages/s');
  expect(formatRate(1.5e9, 'pages')).toBe('1.50 G pages/s');
  expect(formatRate(2500, 'pages')).toBe('2.5 k pages/s');
  expect(formatRate(12, 'pages')).toBe('12 pages/s');
  expect(formatPercent(0.4981)).toBe('49.8 %');
});

test('a table pads each column to its widest cell and leaves no trailing space', () => {
  const lines = formatTable(
    [{ title: 'zone' }, { title: 'pages', align: 'right' }],
    [
      ['DMA', '3998'],
      ['Normal', '7'],
    ],
  );
  expect(lines).toEqual(['zone    pages', 'DMA      3998', 'Normal      7']);
});

test('a table without titles has no heading line; missing cells are empty', () => {
  expect(formatTable([{ title: '' }, { title: '' }], [['a', 'b'], ['c']])).toEqual(['a  b', 'c']);
});

test('colour sequences take no width', () => {
  const { bold, red } = createColors(true);
  expect(visibleWidth(red('red'))).toBe(3);
  const [head, row] = formatTable(
    [{ title: 'x', align: 'right' }, { title: 'y' }],
    [[bold('abc'), 'z']],
  );
  expect(head).toBe('  x  y');
  expect(shown(row!)).toBe('\u001b[1mabc\u001b[22m  z');
});

test('JSON in pieces is JSON.stringify, and no piece is long', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect([...jsonPieces(value)].join('')).toBe(JSON.stringify(value));
    }),
  );
  const report = {
    gone: undefined,
    facts: Array.from({ length: 20_000 }, (_, index) => ({ index, text: 'x', none: undefined })),
    nested: [[], {}, [undefined, null, [1, [2]]]],
  };
  const pieces = [...jsonPieces(report)];
  expect(pieces.join('')).toBe(JSON.stringify(report));
  expect(pieces.length).toBeGreaterThan(5);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(2 ** 16 + 100);
});

test('two machines compared are Markdown too, names as they are', () => {
  const evil = '<img src=x>|`a`';
  const escaped = String.raw`\<img src=x\>\|\`a\``;
  const markdown = compareMarkdown({
    schema: 'bootmem/explain-comparison',
    version: 1,
    sources: [evil, 'b'],
    kernels: ['6.12.0', evil],
    rows: [
      { level: 'firmware', id: 'whole', label: 'Installed', before: 2048, after: 1024 },
      { level: 'firmware', id: 'a', label: evil, before: 0, after: 1024 },
      { level: 'total', id: 'left', label: 'MemTotal', before: 1024, after: 1024 },
    ],
  });
  expect(markdown).toBe(
    [
      `### Memory of ${escaped}, and of b`,
      '',
      `Kernel 6.12.0 → ${escaped}.`,
      '',
      '**Kept by the firmware**',
      '',
      '| | first | second | difference |',
      '|---|---:|---:|---:|',
      '| Installed | 2 KiB | 1 KiB | −1 KiB |',
      `| – ${escaped} | 0 B | 1 KiB | +1 KiB |`,
      '',
      '**MemTotal**',
      '',
      '| | first | second | difference |',
      '|---|---:|---:|---:|',
      '| = MemTotal | 1 KiB | 1 KiB |  |',
      '',
    ].join('\n'),
  );
});

test('Markdown shows names and quotations as they are: no line, picture, link or mention comes of them', () => {
  const evil = 'a\n# ![c](http://d) @e #1 <f> `g` |h| &lt; www.i.org ~~j~~ $k$ [l]';
  const escaped = String.raw`a\\u000a\# \!\[c\](http\://d) \@e \#1 \<f\> \`g\` \|h\| \&lt; www\.i.org \~\~j\~\~ \$k\$ \[l\]`;
  const quoted = String.raw`a\u000a# ![c](http://d) @e #1 <f> 'g' \|h\| &lt; www.i.org ~~j~~ $k$ [l]`;
  const markdown = explainMarkdown({
    schema: 'bootmem/explain',
    version: 1,
    source: evil,
    kernel: evil,
    architecture: 'x86_64',
    levels: [
      {
        id: 'firmware',
        title: 'Title',
        whole: { label: evil, bytes: 1, evidence: [{ line: 1, text: evil }] },
        rows: [],
        rest: { bytes: 0, share: 0 },
      },
    ],
    findings: [{ id: 'x', severity: 'note', message: evil, remedy: evil }],
    notes: [evil],
  });
  expect(markdown.split('\n')).toEqual([
    `### Memory of ${escaped}`,
    '',
    `Kernel ${escaped}, x86\\_64.`,
    '',
    '**Title**',
    '',
    '| | size | share | evidence |',
    '|---|---:|---:|---|',
    `| ${escaped} | 1 B | 100.0 % | \`1: ${quoted}\` |`,
    '',
    `- **note**: ${escaped}; ${escaped}`,
    `- ${escaped}`,
    '',
  ]);
});
