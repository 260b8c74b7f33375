/**
 * `npm run bench -- unaccepted [designs | stalls | first | platforms]`: designs of lazy acceptance side by side, the
 * stalls of a paced consumer, the time to the first allocation, and the price on modelled platforms.
 */
import { benchOptions, integer } from '../../kit/options.js';
import { Samples } from '../../kit/samples.js';
import { designs, summariseDesigns } from './cases/designs.js';
import { firstAllocation, summariseFirstAllocation } from './cases/first-allocation.js';
import { platforms } from './cases/platforms.js';
import { stalls, summariseStalls } from './cases/stalls.js';
import { Stage } from './support/stage.js';

const CASES = { designs, stalls, first: firstAllocation, platforms };

const { quick, json, rounds, cases } = benchOptions(
  'unaccepted',
  'Memory that is accepted before use: four designs, stalls, first allocation, modelled platforms.',
  Object.keys(CASES),
  { rounds: integer(undefined, 'rounds, default 5, with --quick 3', 1) },
);

const samples = new Samples('unaccepted');
const stage = new Stage();
const options = { quick, rounds: rounds ?? (quick ? 3 : 5), stage };
for (const [name, run] of Object.entries(CASES))
  if (cases.includes(name)) await run(samples, options);
await stage.close();

samples.print({ json });
if (!json) {
  console.log();
  if (cases.includes('designs')) summariseDesigns(samples);
  if (cases.includes('stalls')) summariseStalls(samples, quick);
  if (cases.includes('first')) summariseFirstAllocation(samples, quick);
}
