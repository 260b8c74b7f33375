/**
 * `npm run bench -- padata [CASE…] [--quick] [--json] [--rounds N] [--threads N] [--only TEXT]`: padata beside the pools that
 * people use, in one process, every subject once a round in rotating order; medians over the rounds. CPU time
 * counts all threads of the process.
 */
import { parseArgs } from 'node:util';
import { Samples, printTables } from '../kit/rows.js';
import { aes } from './cases/aes.js';
import { busyOwner } from './cases/busy-owner.js';
import { latency } from './cases/latency.js';
import { pgzip } from './cases/pgzip.js';
import { range } from './cases/range.js';
import { scaling } from './cases/scaling.js';
import { throughput } from './cases/throughput.js';
import { waking } from './cases/waking.js';

export interface BenchOptions {
  readonly rounds: number;
  readonly sampleMs: number;
  readonly threads: number;
  readonly quick: boolean;
  /** Of the throughput cases only those whose name has this text. */
  readonly only: string;
}

const CASES = {
  throughput,
  latency,
  waking,
  'busy-owner': busyOwner,
  aes,
  range,
  scaling,
  pgzip,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
});
const options: BenchOptions = {
  rounds: Number(values.rounds ?? (values.quick ? 1 : 5)),
  sampleMs: values.quick ? 100 : 400,
  threads: Number(values.threads),
  quick: values.quick,
  only: values.only,
};
const chosen = Object.entries(CASES).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
const unknown = positionals.filter((name) => !(name in CASES));
if (unknown.length > 0 || !Number.isInteger(options.rounds) || !Number.isInteger(options.threads)) {
  console.error(`cases: ${Object.keys(CASES).join(', ')}`);
  process.exit(2);
}

const samples = new Samples();
for (const [name, run] of chosen) {
  if (!values.json) console.error(`… ${name}`);
  await run(samples, options);
}
if (values.json) for (const row of samples.rows()) console.log(JSON.stringify(row));
else printTables(samples.rows());
// A peer whose threads did not end must not keep the process.
process.exit();
