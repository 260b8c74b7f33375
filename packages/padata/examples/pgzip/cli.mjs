#!/usr/bin/env node
// pgzip [-p THREADS] [-1 … -9] [-b KIB] [-c] [FILE]: compresses FILE to FILE.gz, or standard input to standard output.
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { createWorkPool } from '@bootmem/padata';
import { pgzip } from './pgzip.mjs';

const USAGE = 'usage: pgzip [-p THREADS] [-1 ... -9] [-b KIB] [-c] [FILE]';
const fail = (message) => {
  console.error(`pgzip: ${message}\n${USAGE}`);
  process.exit(2);
};

const levels = Object.fromEntries(
  [1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => [
    `level${level}`,
    { type: 'boolean', short: String(level) },
  ]),
);
let parsed;
try {
  parsed = parseArgs({
    allowPositionals: true,
    options: {
      processes: { type: 'string', short: 'p' },
      blocksize: { type: 'string', short: 'b' },
      stdout: { type: 'boolean', short: 'c' },
      ...levels,
    },
  });
} catch (error) {
  fail(error.message);
}
const { values, positionals } = parsed;
const [file, ...rest] = positionals;
if (rest.length > 0) fail('one file at a time');
const count = (text, what, low) => {
  const value = Number(text);
  return Number.isInteger(value) && value >= low
    ? value
    : fail(`${what} must be a whole number of at least ${low}, got ${text}`);
};
const threads =
  values.processes === undefined ? availableParallelism() : count(values.processes, 'THREADS', 1);
const blockBytes =
  1024 * (values.blocksize === undefined ? 128 : count(values.blocksize, 'KIB', 32));
const level = [9, 8, 7, 6, 5, 4, 3, 2, 1].find((candidate) => values[`level${candidate}`]) ?? 6;

try {
  const source =
    file === undefined ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
  const about =
    file === undefined ? {} : { name: basename(file), modified: statSync(file).mtimeMs / 1000 };
  const target =
    file === undefined || values.stdout
      ? process.stdout
      : createWriteStream(`${file}.gz`, { flags: 'wx' });
  const pool = createWorkPool({ threads, name: 'pgzip' });
  await pipeline(
    Readable.from(pgzip(pool, source, { level, blockBytes, ...about }), {
      objectMode: false,
      highWaterMark: 1 << 20,
    }),
    target,
  );
  await pool.close();
} catch (error) {
  console.error(`pgzip: ${error.message}`);
  process.exit(1);
}
