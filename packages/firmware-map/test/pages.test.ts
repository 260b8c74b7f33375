/** Logs as web pages, sources of programs, interfaces and screens give them: the same facts as the plain log. */
import { describe as group, expect, test } from '@jest/globals';
import { parseDescription } from '@bootmem/firmware-map';
import { codes, describe, describeLines, fixture, withoutLines } from './helpers.js';

const PLAIN = fixture('x86-2n.dmesg').trimEnd().split('\n');
const STAMPED = PLAIN.map((line) => `[    0.000000] ${line}`);
const EXPECTED = withoutLines(describe(STAMPED.join('\n')));

const html = (line: string): string =>
  line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const coded = (code: (char: string) => string) => (line: string) =>
  html(line).replaceAll(/[[\]()_*]/g, code);

const LINES: Readonly<Record<string, (line: string, index: number) => string>> = {
  'numbers for characters': coded((char) => `&#${char.charCodeAt(0)};`),
  'hexadecimal numbers for characters': coded((char) => `&#x${char.charCodeAt(0).toString(16)};`),
  'names for brackets': (line) =>
    html(line).replaceAll('[', '&lsqb;').replaceAll(']', '&rsqb;').replaceAll('(', '&lpar;'),
  'a span around a line': (line) => `<span class="line">${html(line)}</span>`,
  'an element in a line': (line) => `${html(line)}<b></b>`,
  'a table with line numbers': (line, index) =>
    `<tr><td id="L${index}">${index}</td><td class="code">${html(line)}</td></tr>`,
  'a page that numbers lines by itself': (line) =>
    `<tr><td data-line-number="1"></td> <td>${html(line)}</td></tr>`,
  'brackets that Markdown must not read': (line) =>
    line.replaceAll('[', String.raw`\[`).replaceAll(']', String.raw`\]`),
  'a frame': (line) => `│ ${line.padEnd(160)} │`,
  'ends in letters': (line) => `${line}${String.raw`\r\n`}`,
  'a list of a program': (line) =>
    `        '${line.replaceAll("'", String.raw`\'`)}${String.raw`\n`}',`,
  'text of a program': (line) => `  "${line.replaceAll('"', String.raw`\"`)}${String.raw`\n`}"`,
};

group('line by line', () => {
  test.each(Object.keys(LINES))('%s', (name) => {
    const text = STAMPED.map((line, index) => LINES[name]!(line, index)).join('\n');
    expect(withoutLines(describe(text))).toEqual(EXPECTED);
  });

  test('a kernel without time stamps in a table with line numbers', () => {
    const text = PLAIN.map((line, index) => LINES['a table with line numbers']!(line, index));
    expect(withoutLines(describe(text.join('\n')))).toEqual(EXPECTED);
  });

  test('names and numbers of no character, and what is no element, stay', () => {
    const text = 'Command line: a=&nothing; b=&#0; c=&#xfffff; d=<unset> e=a\\b';
    expect(describeLines(text).commandLine?.text).toBe(
      'a=&nothing; b=&#0; c=&#xfffff; d=<unset> e=a\\b',
    );
  });
});

const WHOLE: Readonly<Record<string, string>> = {
  'a list of lines': JSON.stringify(STAMPED),
  'a list of lines, one a line': JSON.stringify(STAMPED, undefined, 2),
  'a list in a member': JSON.stringify({ id: 7, lines: STAMPED }, undefined, 2),
  'a text in a member': JSON.stringify({
    InstanceId: 'i-1',
    Output: `${STAMPED.join('\r\n')}\r\n`,
  }),
  'a text deep inside': JSON.stringify(
    { items: [{ data: { console: STAMPED.join('\n') } }] },
    undefined,
    1,
  ),
};

group('texts in JSON', () => {
  test.each(Object.keys(WHOLE))('%s', (name) => {
    expect(withoutLines(describe(WHOLE[name]!))).toEqual(EXPECTED);
  });

  test('lines in one line of a file keep their order', () => {
    const { map } = describe(WHOLE['a list of lines']!).firmware;
    expect(map.map(({ line }) => line)).toEqual(
      describe(STAMPED.join('\n')).firmware.map.map(({ line }) => line),
    );
  });

  test('JSON without a log in it is told as such', () => {
    const read = parseDescription('{"title":"no log","items":["a","b",3]}');
    expect(read.ok).toBe(false);
    expect(read.ok ? [] : read.problems.map(({ code }) => code)).not.toContain('NO_MEMORY_MAP');
  });
});

const cut = (line: string, width: number): string =>
  line.match(new RegExp(`.{1,${width}}`, 'g'))?.join('\n') ?? '';

group('lines cut at the last column of a screen', () => {
  test.each([72, 80, 81, 96, 100, 120, 132])('%i columns', (width) => {
    const description = describe(STAMPED.map((line) => cut(line, width)).join('\n'));
    expect(withoutLines(description)).toEqual(EXPECTED);
    expect(codes(description)).toContain('WRAPPED_LINE');
  });

  const head = '[    0.000000] Built 2 zonelists in Node order, mobility grouping on.  ';
  const total = (...lines: string[]): number | undefined =>
    describe([STAMPED[0]!, ...STAMPED.slice(2, 12), ...lines].join('\n')).printed.zonelists
      ?.totalPages;

  test.each([
    ['Total pag', 'es: 258438'],
    ['Total', ' pages: 258438'],
    ['Total pages: 2584', '38'],
  ])('a total cut behind "%s"', (first, rest) => {
    // Another line that was cut at the same column shows that lines are cut.
    const width = head.length + first.length;
    const other = cut(`[    0.000000] Kernel command line: ${'a=b '.repeat(40)}`, width);
    const lines = [...other.split('\n'), head + first, rest, '[    0.000000] end'];
    expect(total(...lines)).toBe(258_438);
  });

  test('a total cut in a log whose lines have no prefix', () => {
    const lines = ['Built 1 zonelists, mobility grouping on.  Total pag', 'es: 258438', 'end'];
    expect(describeLines(...lines).printed.zonelists?.totalPages).toBe(258_438);
  });

  test('a total wrapped between words, and one that is not there', () => {
    expect(total(head.trimEnd(), 'Total pages: 258438')).toBe(258_438);
    expect(total(`${head}Total pages:`, '258438')).toBe(258_438);
    expect(total(head.trimEnd(), '[    0.000000] Policy zone: DMA32')).toBeUndefined();
  });

  test('a coded mail that ends within a line ends before it', () => {
    const lines = [
      'Content-Transfer-Encoding: quoted-printable',
      '',
      ...STAMPED.map((line) => line.replaceAll('=', '=3D')),
    ];
    const text = [
      ...lines,
      '[    0.000000] Built 1 zonelists, mobility grouping on.  Total pages: 26196=',
    ];
    expect(withoutLines(describe(text.join('\n')))).toEqual(EXPECTED);
  });
});
