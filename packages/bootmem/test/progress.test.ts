import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import pc from 'picocolors';
import { createProgressBar } from '../dist/cli/progress-bar.js';
import { processIo } from '../dist/cli/io.js';
import type { CommandIo } from '../dist/cli/io.js';

/** A terminal that keeps what was written to it. */
class Terminal extends Writable {
  text = '';
  readonly isTTY = true;
  readonly columns = 120;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
  cursorTo(): boolean {
    return true;
  }
  moveCursor(): boolean {
    return true;
  }
  clearLine(): boolean {
    this.text += '<clear>';
    return true;
  }
}

function io(stream: Terminal, isTerminal: boolean): CommandIo {
  return {
    out: () => undefined,
    err: () => undefined,
    outIsTerminal: isTerminal,
    errIsTerminal: isTerminal,
    errStream: stream,
    colors: pc.createColors(false),
    signal: new AbortController().signal,
    env: {},
  };
}

test('on a terminal the bar counts pages and is removed at the end', () => {
  const terminal = new Terminal();
  const bar = createProgressBar(io(terminal, true), 'initialising', true);
  bar.update(0, 1000);
  bar.update(1000, 1000);
  bar.stop();
  bar.stop();
  expect(terminal.text).toMatch(/initialising \[.*\] +\d+% .* of 1 000 pages/);
  expect(terminal.text).toContain('100%');
});

test('elsewhere, and when it is not wanted, nothing is drawn', () => {
  for (const [isTerminal, enabled] of [
    [false, true],
    [true, false],
  ] as const) {
    const terminal = new Terminal();
    const bar = createProgressBar(io(terminal, isTerminal), 'initialising', enabled);
    bar.update(1, 2);
    bar.stop();
    expect(terminal.text).toBe('');
  }
});

test('the io of a process writes to its streams and takes its signal', () => {
  const abort = new AbortController();
  const own = processIo(abort.signal);
  expect(own.signal).toBe(abort.signal);
  expect(own.errStream).toBe(process.stderr);
  expect(own.env).toBe(process.env);
});
