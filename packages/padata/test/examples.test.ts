/**
 * The example tools as a user runs them: processes with standard input and output. What gzip makes of pgzip's
 * output, and what pcrypt makes of tampered input, is the measure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Random } from '../../../tools/kit/random.mjs';

const examples = join(dirname(fileURLToPath(import.meta.url)), '../examples');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'padata-examples-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const run = (
  tool: string,
  args: readonly string[],
  input?: Uint8Array,
): { status: number | null; stdout: Buffer; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(examples, tool, 'cli.mjs'), ...args],
    { input: input ?? new Uint8Array(0), maxBuffer: 1 << 28, timeout: 60_000 },
  );
  return { status, stdout, stderr: stderr.toString() };
};

/** Seeded text in which far repetitions pay, so that a lost dictionary shows in the size. */
function text(bytes: number): Buffer {
  const random = new Random(7);
  const words = Array.from({ length: 3000 }, () => random.below(2 ** 30).toString(36));
  const parts: string[] = [];
  for (let length = 0; length < bytes;) {
    const word = words[random.below(random.below(3000) + 1)]!;
    parts.push(word);
    length += word.length + 1;
  }
  return Buffer.from(parts.join(' ').slice(0, bytes));
}

describe('pgzip', () => {
  test.each([
    ['nothing', 0],
    ['one byte', 1],
    ['exactly one block', 128 * 1024],
    ['one byte more than a block', 128 * 1024 + 1],
    ['many blocks', 3_000_000],
  ])('gunzip gives back %s', (_, bytes) => {
    const input = text(bytes);
    const { status, stdout, stderr } = run('pgzip', ['-p', '2'], input);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(gunzipSync(stdout).equals(input)).toBe(true);
  });

  test('blocks primed with a dictionary cost less than one percent against one stream', () => {
    const input = text(4_000_000);
    const { status, stdout } = run('pgzip', ['-p', '2', '-6'], input);
    expect(status).toBe(0);
    expect(gunzipSync(stdout).equals(input)).toBe(true);
    expect(stdout.length).toBeLessThan(1.01 * gzipSync(input, { level: 6 }).length);
  });

  test('data that does not compress survives', () => {
    const random = new Random(1);
    const input = Uint8Array.from({ length: 500_000 }, () => random.below(256));
    expect(gunzipSync(run('pgzip', ['-p', '2'], input).stdout).equals(input)).toBe(true);
  });

  test('a file becomes FILE.gz and an existing one is not overwritten', () => {
    const file = join(folder, 'a.txt');
    writeFileSync(file, text(300_000));
    expect(run('pgzip', [file]).status).toBe(0);
    expect(gunzipSync(readFileSync(`${file}.gz`)).equals(readFileSync(file))).toBe(true);
    expect(run('pgzip', [file]).status).toBe(1);
  });

  test.each([['-p', '0'], ['-b', '1'], ['--no-such-option'], ['a', 'b']])(
    'bad usage ends with 2: %s %s',
    (...args) => {
      const { status, stderr } = run(
        'pgzip',
        args.filter((arg) => typeof arg === 'string'),
      );
      expect(status).toBe(2);
      expect(stderr).toContain('usage:');
    },
  );
});

describe('pcrypt', () => {
  const keyFile = (): string => {
    const path = join(folder, 'key');
    writeFileSync(path, `${'0123456789abcdef'.repeat(4)}\n`);
    return path;
  };

  test.each([
    ['nothing', 0],
    ['exactly two packets', 2 * 65_536],
    ['packets and a rest', 1_000_001],
  ])('open gives back what seal took: %s', (_, bytes) => {
    const input = text(bytes);
    const sealed = run('pcrypt', ['seal', '--key-file', keyFile(), '-p', '2'], input);
    expect({ status: sealed.status, stderr: sealed.stderr }).toEqual({ status: 0, stderr: '' });
    const opened = run('pcrypt', ['open', '--key-file', keyFile(), '-p', '2'], sealed.stdout);
    expect(opened.status).toBe(0);
    expect(opened.stdout.equals(input)).toBe(true);
  });

  test('a flipped bit, swapped packets and a cut end are refused', () => {
    const sealed = run('pcrypt', ['seal', '--key-file', keyFile()], text(200_000)).stdout;
    const refused = (bytes: Buffer): void => {
      const { status, stderr } = run('pcrypt', ['open', '--key-file', keyFile()], bytes);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^pcrypt: /);
    };
    const flipped = Buffer.from(sealed);
    flipped[70_000] = flipped[70_000]! ^ 1;
    refused(flipped);
    const packet = 4 + 1 + 65_536 + 16;
    const at = (index: number): Buffer =>
      sealed.subarray(8 + index * packet, 8 + (index + 1) * packet);
    refused(Buffer.concat([sealed.subarray(0, 8), at(1), at(0), sealed.subarray(8 + 2 * packet)]));
    refused(sealed.subarray(0, 8 + 2 * packet));
    refused(sealed.subarray(0, sealed.length - 5));
  });
});

describe('wordcount', () => {
  test('equals a count on one thread, whatever the number of threads', () => {
    const file = join(folder, 'words.txt');
    writeFileSync(file, `${text(2_000_000).toString()} don't Don't übung ÜBUNG`);
    const expected = new Map<string, number>();
    for (const [word] of readFileSync(file, 'utf8').matchAll(/[a-z'\u0080-\uffff]+/gi)) {
      const folded = word.toLowerCase();
      expected.set(folded, (expected.get(folded) ?? 0) + 1);
    }
    const top = [...expected]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, 50)
      .map(([word, count]) => `${String(count).padStart(9)}  ${word}`)
      .join('\n');
    for (const threads of ['1', '2', '4']) {
      expect(run('wordcount', ['-p', threads, '-n', '50', file]).stdout.toString().trimEnd()).toBe(
        top,
      );
    }
  });
});
