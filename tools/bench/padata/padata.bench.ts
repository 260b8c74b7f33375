/**
 * `npm run bench -- padata [CASE…]`: padata beside the pools that people use, in one process, every subject once a
 * round in rotating order; medians over the rounds. CPU time counts all threads of the process.
 */
import { benchOptions, integer, text } from '../../kit/options.js';
import { Samples } from '../../kit/samples.js';
import { aes } from './cases/aes.js';
import { busyOwner } from './cases/busy-owner.js';
import { latency } from './cases/latency.js';
import { pgzip } from './cases/pgzip.js';
import { range } from './cases/range.js';
import { scaling } from './cases/scaling.js';
import { sizes } from './cases/sizes.js';
import { throughput } from './cases/throughput.js';
import { waking } from './cases/waking.js';

const CASES = {
  throughput,
  sizes,
  latency,
  waking,
  'busy-owner': busyOwner,
  aes,
  range,
  scaling,
  pgzip,
};

const { json, quick, rounds, threads, only, cases } = benchOptions(
  'padata',
  'Ordered jobs and range jobs beside the pools that people use.',
  Object.keys(CASES),
  {
    rounds: integer(undefined, 'rounds, default 5, with --quick 1', 1),
    threads: integer(2, 'worker threads of each subject, default 2', 1),
    only: text('', 'of the cases of throughput and sizes those whose name has this text'),
  },
);
const options = {
  rounds: rounds ?? (quick ? 1 : 5),
  sampleMs: quick ? 100 : 400,
  threads,
  quick,
  only,
};

const samples = new Samples('padata');
for (const [name, run] of Object.entries(CASES)) {
  if (!cases.includes(name)) continue;
  if (!json) console.error(`… ${name}`);
  await run(samples, options);
}
samples.print({ json });
// A peer whose threads did not end must not keep the process.
process.exit();
