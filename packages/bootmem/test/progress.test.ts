import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createColors } from '../dist/format/colors.js';
import { barText, createProgressBar } from '../dist/cli/progress-bar.js';
import type { CommandIo } from '../dist/cli/io.js';

/** A terminal: what is on its lines after all that was written to it. */
class Terminal extends Writable {
  readonly isTTY = true;
  readonly lines = [''];
  readonly columns: number;
  #column = 0;
  constructor(columns = 120) {
    super();
    this.columns = columns;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // A sequence that moves or clears, a newline, or one character.
    // eslint-disable-next-line no-control-regex -- sequences begin with ESC
    for (const [part] of chunk.toString().matchAll(/\u001b\[(\d*)([GK])|[^]/gu)) this.#take(part);
    done();
  }
  #take(part: string): void {
    const last = this.lines.length - 1;
    const line = this.lines[last]!;
    if (part === '\n') {
      this.lines.push('');
      this.#column = 0;
    } else if (part.endsWith('G') && part.startsWith('\u001b')) {
      this.#column = Number(part.slice(2, -1)) - 1;
    } else if (part.startsWith('\u001b')) {
      this.lines[last] = part === '\u001b[2K' ? '' : line.slice(0, this.#column);
    } else {
      const padded = line.padEnd(this.#column);
      this.lines[last] = padded.slice(0, this.#column) + part + padded.slice(this.#column + 1);
      this.#column++;
    }
  }
}

function io(stream: Terminal, isTerminal: boolean): CommandIo {
  return {
    out: (text) => void stream.write(text),
    err: () => undefined,
    outIsTerminal: isTerminal,
    errIsTerminal: isTerminal,
    errStream: stream,
    colors: createColors(false),
    signal: new AbortController().signal,
    env: {},
  };
}

const look = { label: 'initialising', unit: 'pages', enabled: true };

test('on a terminal the bar counts pages and is removed at the end', () => {
  const terminal = new Terminal();
  const bar = createProgressBar(io(terminal, true), look);
  bar.update(0, 1000);
  expect(terminal.lines[0]).toMatch(/^initialising \[░{30}\] 0% 0 of 1 000 pages$/);
  bar.update(1000, 1000);
  expect(terminal.lines[0]).toMatch(/^initialising \[█{30}\] 100% 1 000 of 1 000 pages$/);
  bar.stop();
  bar.stop();
  expect(terminal.lines).toEqual(['']);
});

test('lines are printed whole, above the bar', () => {
  const terminal = new Terminal();
  const bar = createProgressBar(io(terminal, true), look);
  bar.print('before the bar\n');
  bar.update(500, 1000);
  bar.print('a line that is shorter\n');
  bar.print(`${'a longer line '.repeat(8)}\n`);
  expect(terminal.lines).toEqual([
    'before the bar',
    'a line that is shorter',
    'a longer line '.repeat(8),
    `initialising [${'█'.repeat(15)}${'░'.repeat(15)}] 50% 500 of 1 000 pages`,
  ]);
  bar.stop();
  expect(terminal.lines.at(-1)).toBe('');
});

test('the bar fits the terminal: it gets shorter, then goes, then the text is cut', () => {
  for (const [columns, text] of [
    [60, `initialising [${'█'.repeat(11)}${'░'.repeat(10)}] 50% 500 of 1 000 pages`],
    [40, 'initialising 50% 500 of 1 000 pages'],
    [20, 'initialising 50% 50'],
  ] as const) {
    const terminal = new Terminal(columns);
    createProgressBar(io(terminal, true), look).update(500, 1000);
    expect(terminal.lines).toEqual([text]);
  }
  expect(barText(look, 0, 0, 120)).toMatch(/ 0% 0 of 0 pages$/);
});

test('elsewhere, and when it is not wanted, nothing is drawn', () => {
  for (const [isTerminal, enabled] of [
    [false, true],
    [true, false],
  ] as const) {
    const terminal = new Terminal();
    const bar = createProgressBar(io(terminal, isTerminal), { ...look, enabled });
    bar.update(1, 2);
    bar.print('a line\n');
    bar.stop();
    expect(terminal.lines).toEqual(['a line', '']);
  }
});
