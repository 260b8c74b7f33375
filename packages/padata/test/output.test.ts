// What jobs print: all of it arrives, in order within a job, soon, and little of it waits in a thread.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const program = fileURLToPath(new URL('./fixtures/programs/prints.mjs', import.meta.url));

function run(what: string, idle: string): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, what, idle], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').slice(0, -1);
}
const printed = (lines: readonly string[]) => lines.filter((line) => /^[ABC] /.test(line));
const expected = (jobs: number, tail: number) =>
  Array.from({ length: jobs }, (_, n) => [`A ${n}`, `B ${n}`, `C ${n} ${'x'.repeat(tail)}`]).flat();

test.each(['block', 'loop'])('idle %s: nothing is lost when a program forgets to close', (idle) => {
  expect(printed(run('forgets', idle))).toEqual(expected(5, 1));
});

test('what a job prints comes out although the thread has nothing more to do', () => {
  expect(run('idle', 'block')).toEqual([...expected(1, 1), 'seen']);
});

test('15 000 lines, 5 MB, as fast as jobs come: all arrive, and never more than 1 MiB waits in the thread between jobs', () => {
  const lines = run('much', 'block');
  expect(printed(lines)).toEqual(expected(5000, 1000));
  const most = Number(lines.find((line) => line.startsWith('most'))!.slice(5));
  expect(most).toBeLessThan(1 << 20);
});

test('nothing is lost when a pool closes and its output is read long after that began', async () => {
  const child = spawn(process.execPath, [program, 'unread', 'block'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    // The pool would have ended its threads by force in the meantime.
    if (said.includes('read now')) child.stdout.resume();
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stdout.pause();
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, said }).toEqual({ code: 0, said: 'read now\n' });
  const lines = Array.from({ length: 6 }, (_, n) => `A ${n} ${'x'.repeat(300_000)}`);
  expect(printed(text.split('\n')).map((line) => line.length)).toEqual(lines.map((l) => l.length));
  expect(printed(text.split('\n'))).toEqual(lines);
});
