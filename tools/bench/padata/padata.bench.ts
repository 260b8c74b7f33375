/**
 * `npm run bench -- padata [CASE…]`: padata beside the pools that people use, in one process, every subject once a
 * round in rotating order; medians over the rounds. CPU time counts all threads of the process. Cases with subjects
 * that need it run each in a process of its own. At the end: what was to be reached, and how much of it is.
 */
import { writeFileSync } from 'node:fs';
import { benchOptions, integer, text } from '../../kit/options.js';
import { jsonLine, Samples } from '../../kit/samples.js';
import { Targets } from '../../kit/targets.js';
import type { BenchOptions } from './bench-options.js';
import { aes } from './cases/aes.js';
import { busyOwner } from './cases/busy-owner.js';
import { firstResult } from './cases/first-result.js';
import { latency } from './cases/latency.js';
import { neighbours } from './cases/neighbours.js';
import { ownSpeed } from './cases/own-speed.js';
import { pgzip } from './cases/pgzip.js';
import { range } from './cases/range.js';
import { scaling } from './cases/scaling.js';
import { sizes } from './cases/sizes.js';
import { tbb } from './cases/tbb.js';
import { throughput } from './cases/throughput.js';
import { uneven } from './cases/uneven.js';
import { values } from './cases/values.js';
import { waking } from './cases/waking.js';

type Case = (samples: Samples, options: BenchOptions, targets: Targets) => void | Promise<void>;

const CASES: Readonly<Record<string, Case>> = {
  tbb,
  throughput,
  values,
  sizes,
  latency,
  'first-result': firstResult,
  uneven,
  'own-speed': ownSpeed,
  neighbours,
  waking,
  'busy-owner': busyOwner,
  aes,
  range,
  scaling,
  pgzip,
};

const { json, quick, rounds, threads, only, rows, cases } = benchOptions(
  'padata',
  'Ordered jobs and range jobs beside the pools that people use.',
  Object.keys(CASES),
  {
    rounds: integer(
      undefined,
      'rounds, default 5, with --quick 1; some cases have more at least',
      1,
    ),
    threads: integer(2, 'worker threads of each subject, default 2', 1),
    only: text('', 'of the cases with several rows those whose name has this text'),
    rows: text('', 'beside the tables, a file that gets what --json would print'),
  },
);
const options = {
  rounds: rounds ?? (quick ? 1 : 5),
  sampleMs: quick ? 100 : 400,
  threads,
  quick,
  json,
  only,
};

const samples = new Samples('padata');
const targets = new Targets('padata');
for (const [name, run] of Object.entries(CASES)) {
  if (!cases.includes(name)) continue;
  if (!json) console.error(`… ${name}`);
  await run(samples, options, targets);
}
samples.print({ json });
targets.print({ json });
if (rows !== '') {
  const lines = samples.rows().map((row) => `${jsonLine(row)}\n`);
  writeFileSync(rows, lines.join(''));
}
// A peer whose threads did not end must not keep the process.
process.exit();
