/** pgzip against pigz and gzip on text; every output is checked with `gzip -t` and compared with the input. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { writeText } from '../../../kit/text.js';
import type { BenchOptions } from '../bench-options.js';

const cli = fileURLToPath(
  new URL('../../../../packages/padata/examples/pgzip/cli.mjs', import.meta.url),
);

interface Tool {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

export function pgzip(samples: Samples, options: BenchOptions): void {
  const folder = mkdtempSync(join(tmpdir(), 'pgzip-bench-'));
  try {
    const text = join(folder, 'text');
    const bytes = options.quick ? 20_000_000 : 200_000_000;
    writeText(text, bytes);
    const threads = String(options.threads);
    const tools: Tool[] = [
      { name: 'bootmem', command: process.execPath, args: [cli, '-p', threads, '-6'] },
      { name: `pigz -p${threads}`, command: 'pigz', args: ['-p', threads, '-6', '-c'] },
      { name: 'gzip', command: 'gzip', args: ['-6', '-c'] },
    ].filter(({ command }) => {
      const there = command === process.execPath || spawnSync(command, ['--version']).status === 0;
      if (!there) console.error(`${command} is not installed: left out`);
      return there;
    });
    for (let round = 0; round < Math.min(options.rounds, 5); round += 1) {
      for (const { name, command, args } of inTurn(tools, round)) {
        const output = join(folder, 'text.gz');
        const input = openSync(text, 'r');
        const target = openSync(output, 'w');

        const start = performance.now();
        const run = spawnSync(
          '/usr/bin/env',
          ['bash', '-c', 'TIMEFORMAT="%U %S"; time "$0" "$@"', command, ...args],
          {
            stdio: [input, target, 'pipe'],
          },
        );
        const seconds = (performance.now() - start) / 1000;
        closeSync(input);
        closeSync(target);
        if (run.status !== 0) throw new Error(`${name} failed: ${run.stderr.toString()}`);
        const [user = 0, system = 0] = run.stderr
          .toString()
          .trim()
          .split(/\s+/)
          .slice(-2)
          .map(Number);
        if (spawnSync('gzip', ['-t', output]).status !== 0)
          throw new Error(`${name}: gzip -t refuses its output`);
        const same = spawnSync('bash', ['-c', 'gzip -dc "$0" | cmp - "$1"', output, text]);
        if (same.status !== 0) throw new Error(`${name}: its output is not the input`);
        const testCase = `gzip -6 of ${bytes / 1e6} MB of text, ${threads} threads`;
        samples.add(testCase, name, 'rate', 'MB/s', bytes / 1e6 / seconds);
        samples.add(testCase, name, 'CPU', 's', user + system);
        samples.add(testCase, name, 'output', 'bytes', statSync(output).size);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
