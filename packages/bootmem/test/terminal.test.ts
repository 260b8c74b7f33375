// What reaches a terminal: nothing but text, at its width.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createColors } from '../dist/format/colors.js';
import { inLine, shown } from '../dist/format/safe/escape.js';
import { fitted } from '../dist/format/paper.js';
import { formatTable, visibleWidth, wrap } from '../dist/format/table.js';
import { FIXTURES, run } from './helpers/run.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const SAMPLE = join(FIXTURES, 'k61-4n-odd');
const RAW =
  // eslint-disable-next-line no-control-regex -- what must not be printed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
// eslint-disable-next-line no-control-regex -- colours of our own
const SGR = /\u001b\[(?:1|2|22|31|32|33|36|39)m/gu;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('escaping', () => {
  test('controls and marks of direction appear by their number, text and colours stay', () => {
    expect(shown('a\u001b[31mb\r\u0007\u009b\u202ec\td\n')).toBe(
      'a\\u001b[31mb\\u000d\\u0007\\u009b\\u202ec\td\n',
    );
    // Spaces without width, invisible operators, notes between lines, tags; a joiner is part of words and pictures.
    expect(shown('a\u200b\u2062\u206e\ufffa\u{e0041}b\u200d\u00ad')).toBe(
      'a\\u200b\\u2062\\u206e\\ufffa\\udb40\\udc41b\u200d\u00ad',
    );
    expect(inLine('a\n\tb')).toBe('a\\u000a\\u0009b');
    const { bold, red } = createColors(true);
    expect(shown(bold(red('x')))).toBe('\u001b[1m\u001b[31mx\u001b[39m\u001b[22m');
    expect(createColors(false).bold('x')).toBe('x');
  });

  test('no text gets a control through, and JSON stays the same JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(shown(text)).not.toMatch(RAW);
        const json = JSON.stringify({ text });
        expect(JSON.parse(shown(json))).toEqual({ text });
      }),
    );
  });
});

describe('layout', () => {
  const columns = [
    { title: 'name' },
    { title: 'count', align: 'right', drop: 1 },
    { title: 'text' },
  ] as const;
  test('where room is short a column goes, then the last cell goes on below', () => {
    const rows = [['zone', '12', 'one two three four five six seven']];
    expect(formatTable(columns, rows)).toEqual([
      'name  count  text',
      'zone     12  one two three four five six seven',
    ]);
    expect(formatTable(columns, rows, 40)).toEqual([
      'name  text',
      'zone  one two three four five six seven',
    ]);
    expect(formatTable(columns, rows, 26)).toEqual([
      'name  text',
      'zone  one two three four',
      '      five six seven',
    ]);
  });

  test('lines are broken without losing a word, however narrow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, unit: fc.constantFrom('a', 'ß', '🙂') })),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(70),
        (words, width, indent) => {
          const line = words.join(' ');
          const lines = wrap(line, width, ' '.repeat(indent));
          expect(lines.join('').replaceAll(' ', '')).toBe(line.replaceAll(' ', ''));
          if (width >= 12) {
            for (const part of lines) expect(visibleWidth(part)).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
    expect(fitted('  one two three four', { width: 19 })).toBe('  one two three\n      four');
  });
});

/** Every command that prints for people about a log. */
const COMMANDS: readonly (readonly string[])[] = [
  ['boot', '--threads', '1'],
  ['check'],
  ['explain', '--evidence'],
  ['replay'],
  ['numa'],
  ['lsmem', '-o', 'RANGE,SIZE,STATE,BLOCK,NODE,ZONES'],
  ['at', '0x1000'],
  ['phases'],
];

test.each([80, 120])('no line is longer than a terminal of %i columns', async (columns) => {
  for (const command of COMMANDS) {
    const { out } = await run(about(SAMPLE, command), { columns, color: true });
    for (const line of out.split('\n').filter((text) => !text.startsWith('['))) {
      expect({ command, line, fits: visibleWidth(line.replace(SGR, '')) <= columns }).toEqual({
        command,
        line,
        fits: true,
      });
    }
  }
});

/** Arguments of a command about a file; `at` takes its place before it. */
function about(file: string, [command, ...options]: readonly string[]): string[] {
  return command === 'at' ? [command, ...options, file] : [command!, file, ...options];
}

test('programs get whole lines and digits alone; --wide gives terminals all columns', async () => {
  const piped = await run(['boot', SAMPLE, '--threads', '1']);
  expect(piped.out).toMatch(/^ {3}0 {2}DMA32 .* 1044480 +782304 /m);
  const wide = await run(['boot', SAMPLE, '--threads', '1', '--wide'], { columns: 80 });
  expect(wide.out).toMatch(/^ {3}0 {2}DMA32 .* 1 044 480 +782 304 /m);
  const narrow = await run(['boot', SAMPLE, '--threads', '1'], { columns: 80 });
  expect(narrow.out).toMatch(/^ {3}0 {2}DMA32 +2.98 GiB /m);
});

test('names and logs of strangers put no control into any output', async () => {
  const text = await readFile(join(SAMPLE, 'dmesg.txt'), 'utf8');
  const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\u200b\u{e0041}';
  const name = join(folder, `log${evil}\nok  other.log`);
  const lines = text.split('\n');
  // In the command line, the version, in lines of the map, and in lines that become findings.
  const spoilt = lines
    .map((line, index) => (index % 3 === 0 ? `${line} ${evil}` : line))
    .join('\n')
    .replace('Command line: ', `Command line: movable_node crashkernel=9999G ${evil} `);
  await writeFile(name, spoilt);
  const missing = join(folder, `missing${evil}`);
  for (const command of COMMANDS) {
    for (const file of [name, missing]) {
      for (const extra of [[], ['--json']]) {
        const args = [...about(file, command), ...extra];
        const { out, err } = await run(args, { columns: 80, color: true });
        expect(out.replace(SGR, '')).not.toMatch(RAW);
        expect(err).not.toMatch(RAW);
        expect(out.split('\n').filter((line) => line.startsWith('ok  other.log'))).toEqual([]);
      }
    }
  }
}, 120_000);

/** The real program; what it ended with. */
async function program(
  args: readonly string[],
  options: { input?: string; cwd?: string } = {},
): Promise<{ code: number; out: string; err: string }> {
  const child = execFile(process.execPath, [CLI, ...args], { cwd: options.cwd });
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: string) => (out += chunk));
  child.stderr?.on('data', (chunk: string) => (err += chunk));
  child.stdin?.end(options.input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

test('`-` is standard input', async () => {
  const input = await readFile(join(SAMPLE, 'dmesg.txt'), 'utf8');
  const { code, out } = await program(['check', '-'], { input });
  expect(code).toBe(0);
  expect(out).toMatch(/^standard input \(6\.1\.0/);
  const { code: none, err } = await program(['boot', '-'], { input: '' });
  expect([none, err]).toEqual([2, expect.stringContaining('bootmem: -: ')]);
});

test('SIGTERM ends a command that waits for its input, with 143', async () => {
  const preload = new URL('./helpers/tell-reading.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', preload, CLI, 'check', '-'], {
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  });
  let err = '';
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const exit = once(child, 'close');
  await once(child, 'message');
  child.kill('SIGTERM');
  expect(await exit).toEqual([143, null]);
  expect(err).toBe('interrupted\n');
});

(existsSync('/dev/full') ? test : test.skip)('a full device is an error in a line', async () => {
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    `"${process.execPath}" "${CLI}" numa 2>&1 > /dev/full; echo "code $?"`,
  ]);
  expect(stdout).toMatch(/^bootmem: cannot write to standard output: ENOSPC[^\n]*\ncode 1\n$/);
});

describe('the file of a report', () => {
  const options = ['--rounds', '1', '--threads', '1', '--quiet'];
  test('is never the log, nor a folder, nor where nothing can be written: told before the work', async () => {
    const log = join(folder, 'dmesg.txt');
    await cp(join(SAMPLE, 'dmesg.txt'), log);
    await symlink(log, join(folder, 'link'));
    for (const [output, message] of [
      [log, 'is not overwritten'],
      [join(folder, 'link'), 'is not overwritten'],
      [folder, 'it is a folder'],
      [join(folder, 'none', 'page.html'), 'ENOENT'],
      [join(log, 'page.html'), 'ENOTDIR'],
    ] as const) {
      const lines: string[] = [];
      const { code, out, err } = await run(['report', log, '-o', output, ...options]);
      lines.push(out);
      expect([code === 0, lines.join('')]).toEqual([false, '']);
      expect(err).toContain(message);
    }
    expect(await readFile(log, 'utf8')).toBe(await readFile(join(SAMPLE, 'dmesg.txt'), 'utf8'));
    // The folder of a recorded boot is named, its log is read.
    const { code } = await run(['report', folder, '-o', log, ...options]);
    expect(code).toBe(2);
    expect(await readFile(log, 'utf8')).toBe(await readFile(join(SAMPLE, 'dmesg.txt'), 'utf8'));
  });

  test('leaves what was there when the work fails, and nothing else', async () => {
    const target = join(folder, 'kept');
    await mkdir(target);
    const page = join(target, 'page.html');
    await writeFile(page, 'the old page');
    const { code } = await run(['report', join(folder, 'no such log'), '-o', page, ...options]);
    expect(code).toBe(2);
    expect(await readFile(page, 'utf8')).toBe('the old page');
    expect(readdirSync(target)).toEqual(['page.html']);
  });

  test('`-` is standard output, with the page alone', async () => {
    const { code, out } = await run(['report', SAMPLE, '-o', '-', ...options]);
    expect(code).toBe(0);
    expect(out).toMatch(/^<!doctype html>[^]*<\/html>\s*$/);
  });
});

test('the manual names every command and option of the grammar', async () => {
  const { out } = await run(['man']);
  expect(out).toMatch(/^\.TH BOOTMEM 1 /);
  const { out: script } = await run(['completion', 'bash']);
  const commands = /compgen -W "([^"]+) --help --version"/.exec(script)![1]!.split(' ');
  for (const command of commands) expect(out).toContain(`.SS ${command}\n`);
  for (const [option] of script.matchAll(/--[a-z][a-z-]+/g)) {
    if (option === '--version') continue;
    expect(out).toContain(option.replaceAll('-', '\\-'));
  }
  for (const heading of ['SYNOPSIS', 'FINDINGS', 'EXIT STATUS', 'ENVIRONMENT', 'EXAMPLES']) {
    expect(out).toContain(`.SH ${heading}\n`);
  }
  expect(out).not.toMatch(/^```|\*\*/m);
});

const hasScript =
  ['/usr/bin/script', '/bin/script'].some(existsSync) && process.platform === 'linux';
(hasScript ? test.each([80, 120]) : test.skip.each([80, 120]))(
  'on a real terminal of %i columns nothing of the bar remains and every log line is whole',
  async (columns) => {
    const command = `stty cols ${columns} rows 40; '${process.execPath}' '${CLI}' boot '${SAMPLE}' --threads 2`;
    const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], {
      env: { ...process.env, NO_COLOR: '1', TERM: 'xterm' },
    });
    const screen = rendered(stdout);
    expect(screen.filter((line) => line.includes('█') || line.includes('░'))).toEqual([]);
    const deferred = screen.filter((line) => line.includes('deferred pages initialised'));
    expect(deferred.length).toBe(4);
    for (const line of deferred) {
      expect(line).toMatch(/^\[ +\d+\.\d{6}\] node \d deferred pages initialised in \d+ms$/);
    }
    const tables = screen.slice(screen.findIndex((line) => line.startsWith('Zones')));
    expect(tables.filter((line) => visibleWidth(line) > columns)).toEqual([]);
  },
);

/** What a terminal shows after all of an output: carriage returns, columns and cleared lines carried out. */
function rendered(output: string): string[] {
  const lines = [''];
  let column = 0;
  // eslint-disable-next-line no-control-regex -- sequences begin with ESC
  for (const [part] of output.matchAll(/\u001b\[[\d;]*[A-Za-z]|[^]/gu)) {
    const last = lines.length - 1;
    const line = Array.from(lines[last]!);
    if (part === '\n') {
      lines.push('');
      column = 0;
    } else if (part === '\r') column = 0;
    else if (part.endsWith('G') && part.startsWith('\u001b'))
      column = Number(part.slice(2, -1) || 1) - 1;
    else if (part.endsWith('K') && part.startsWith('\u001b'))
      lines[last] = part === '\u001b[2K' ? '' : line.slice(0, column).join('');
    else if (!part.startsWith('\u001b')) {
      while (line.length < column) line.push(' ');
      line[column++] = part;
      lines[last] = line.join('');
    }
  }
  return lines;
}
