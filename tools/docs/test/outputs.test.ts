/** Outputs in the guide are what the command prints today, whole: blocks that read a log of `docs/guide/logs`. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { documents, root } from '../pages.mjs';

const cli = join(root, 'packages/bootmem/dist/cli.js');
const BLOCK = /^```console\n\$ bootmem ([^\n]*\blogs\/[^\n]*)\n([\s\S]*?)^```/gm;

const blocks = documents().flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(BLOCK)].map(([, words, output]) => ({
    name: `${file}: bootmem ${words!}`,
    folder: dirname(join(root, file)),
    args: words!.split(' '),
    output: output!,
  })),
);

describe('outputs of the command', () => {
  test.each(blocks)('$name', ({ folder, args, output }) => {
    const run = spawnSync(process.execPath, [cli, ...args], { cwd: folder, encoding: 'utf8' });
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(run.stdout.replaceAll(/ +$/gm, '').split('\n')).toEqual(output.split('\n'));
  });
});

test('each of the thirteen questions has a command, and what it prints', () => {
  const guide = readFileSync(join(root, 'docs/guide/kernel-and-cloud.md'), 'utf8');
  const part = /^## Where did the memory go\?\n([\s\S]*?)^## /m.exec(guide)![1]!;
  const [, ...questions] = part.split(/^### /m);
  expect(questions).toHaveLength(13);
  for (const question of questions) {
    const title = question.split('\n')[0];
    expect([title, [...question.matchAll(BLOCK)].length > 0]).toEqual([title, true]);
  }
});
