#!/usr/bin/env node
// pcrypt seal|open --key-file FILE [-p THREADS] < IN > OUT: FILE holds 64 hexadecimal digits.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createWorkPool } from '@bootmem/padata';
import { decrypt, encrypt } from './pcrypt.mjs';

const fail = (message) => {
  console.error(
    `pcrypt: ${message}\nusage: pcrypt seal|open --key-file FILE [-p THREADS] < IN > OUT`,
  );
  process.exit(2);
};
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'key-file': { type: 'string' }, processes: { type: 'string', short: 'p' } },
});
const transform = { seal: encrypt, open: decrypt }[positionals[0]];
if (transform === undefined || values['key-file'] === undefined)
  fail('say seal or open, and name a key file');
const text = readFileSync(values['key-file'], 'utf8').trim();
if (!/^[0-9a-f]{64}$/i.test(text)) fail('the key file must hold 64 hexadecimal digits');
const pool = createWorkPool({
  threads: values.processes === undefined ? availableParallelism() : Number(values.processes),
});
try {
  await pipeline(
    Readable.from(transform(pool, process.stdin, Buffer.from(text, 'hex')), { objectMode: false }),
    process.stdout,
  );
} catch (error) {
  console.error(`pcrypt: ${error.message}`);
  process.exitCode = 1;
} finally {
  await pool.close();
}
