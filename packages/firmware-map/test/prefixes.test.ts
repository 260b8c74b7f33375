import { describe as group, expect, test } from '@jest/globals';
import { codes, describe, fixture, withoutLines } from './helpers.js';

const PLAIN = fixture('x86-2n.dmesg').trimEnd().split('\n');
const EXPECTED = withoutLines(describe(PLAIN.join('\n')));

// One way in which logs are passed on: a line and its index become another line.
type Dress = (line: string, index: number) => string;

const time = (index: number): string => (index / 1000).toFixed(6).padStart(12);

const DRESSES: Readonly<Record<string, Dress>> = {
  'kernel time': (line, index) => `[${time(index)}] ${line}`,
  'kernel time and caller': (line, index) => `[${time(index)}][    T0] ${line}`,
  'kernel time and blank and caller': (line, index) => `[${time(index)}] [      T0] ${line}`,
  priority: (line, index) => `<6>[${time(index)}] ${line}`,
  'facility and level': (line, index) => `kern  :info  : [${time(index)}] ${line}`,
  'date in brackets': (line) => `[Fri Aug 14 23:00:53 2020] ${line}`,
  'date in brackets, localised': (line) => `[ven. août 14 23:00:53 2020] ${line}`,
  'relative time': (line, index) =>
    index === 0 ? `[Jun21 23:09] ${line}` : `[  +0.000006] ${line}`,
  'negative relative time': (line) => `[  -2.325462] ${line}`,
  'syslog, Finnish': (line) => `touko 05 09:18:59 host kernel: ${line}`,
  'syslog, French': (line) => `mars 08 17:54:01 host kernel: ${line}`,
  'syslog with kernel time': (line, index) =>
    `Jan  3 12:00:00 host kernel: [${time(index)}] ${line}`,
  'ISO date': (line) => `2024-11-30T12:00:00+0100 host kernel: ${line}`,
  'time only': (line) => `11:02:52 archlinux kernel: ${line}`,
  'quoted once': (line, index) => `> [${time(index)}] ${line}`,
  'quoted five times': (line, index) => `>>>>> [${time(index)}] ${line}`,
  'a prefix that nobody has heard of': (line) => `{{node-17|serial0}} ${line}`,
  colours: (line, index) => `\u001b[32m[${time(index)}] \u001b[0m\u001b[33m${line}\u001b[0m`,
  'CRLF and padding to 160 columns': (line) => `${line.padEnd(160)}\r`,
  'a leading carriage return': (line) => `\r${line}`,
  'non-breaking spaces': (line) => line.replaceAll(' ', '\u00a0'),
  'HTML entities': (line) => line.replaceAll('>', '&gt;').replaceAll(' ', '&nbsp;'),
  'tabs and zero-width characters': (line) => `\u200b\t${line}`,
  'blank lines between': (line) => `${line}\n\n`,
};

group('every way of passing a log on gives the same description', () => {
  test.each(Object.keys(DRESSES))('%s', (name) => {
    const text = PLAIN.map((line, index) => DRESSES[name]!(line, index)).join('\n');
    expect(withoutLines(describe(text))).toEqual(EXPECTED);
  });

  test('records separated by <br />', () => {
    expect(withoutLines(describe(fixture('html-br.dmesg')))).toEqual(EXPECTED);
  });

  test('quoted mail wrapped at 72 columns, with a warning on the first wrapped line', () => {
    const description = describe(fixture('quoted-wrapped.dmesg'));
    expect(withoutLines(description)).toEqual(EXPECTED);
    expect(codes(description)).toContain('WRAPPED_LINE');
  });

  test.each(['utf-16le', 'utf-16be'])('bytes of %s with a byte order mark', (encoding) => {
    const bytes = Buffer.from(`\ufeff${PLAIN.join('\n')}`, 'utf16le');
    expect(withoutLines(describe(encoding === 'utf-16be' ? bytes.swap16() : bytes))).toEqual(
      EXPECTED,
    );
  });

  test('bytes that are not UTF-8 in between', () => {
    const junk = Uint8Array.from([0xff, 0xfe, 0x80, 0x0a]);
    const bytes = Buffer.concat([
      Buffer.from(`${PLAIN.slice(0, 5).join('\n')}\n`),
      junk,
      Buffer.from(PLAIN.slice(5).join('\n')),
    ]);
    expect(withoutLines(describe(bytes))).toEqual(EXPECTED);
  });
});
