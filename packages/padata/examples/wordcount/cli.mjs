#!/usr/bin/env node
// wordcount [-p THREADS] [-n TOP] FILE: the most frequent words of a file.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { createWorkPool } from '@bootmem/padata';
import { readShared, wordCount } from './wordcount.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { processes: { type: 'string', short: 'p' }, top: { type: 'string', short: 'n' } },
});
if (positionals.length !== 1) {
  console.error('usage: wordcount [-p THREADS] [-n TOP] FILE');
  process.exit(2);
}
// The caller takes part in a range job, so N threads are the caller and N - 1 helpers.
const pool = createWorkPool({
  threads: Math.max(1, Number(values.processes ?? availableParallelism()) - 1),
});
const counts = await wordCount(pool, readShared(positionals[0]));
await pool.close();
const top = [...counts]
  .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  .slice(0, Number(values.top ?? 20));
for (const [word, count] of top) console.log(`${String(count).padStart(9)}  ${word}`);
