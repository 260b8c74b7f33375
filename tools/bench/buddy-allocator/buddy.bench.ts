/**
 * `npm run bench -- buddy [traces | two-threads]`: allocations and frees on four traces beside C and npm allocators, and two
 * threads on one pool beside two processes that share nothing.
 */
import { benchOptions, integer, text } from '../../kit/options.js';
import { Samples } from '../../kit/samples.js';
import { Targets } from '../../kit/targets.js';
import { traces } from './cases/traces.js';
import { twoThreads } from './cases/two-threads.js';

const { quick, json, rounds, only, cases } = benchOptions(
  'buddy',
  'Allocations and frees per CPU-second: four traces beside C and npm allocators; two threads beside two processes.',
  ['traces', 'two-threads'],
  {
    rounds: integer(undefined, 'rounds; default 5 and 15, with --quick 2 and 3', 1),
    only: text('', "of the traces rows whose case and subject have this text, such as 'a, large'"),
  },
);

if (cases.includes('traces')) await traces({ quick, json, rounds, only });
if (cases.includes('two-threads')) {
  const samples = new Samples('buddy');
  const targets = new Targets('buddy');
  await twoThreads(samples, targets, { quick, rounds });
  // Ratios of one round say it, not those of medians.
  samples.print({ json, ours: '' });
  targets.print({ json });
}
