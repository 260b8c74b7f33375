/**
 * `npm run bench -- page-init [init | scaling | first | devices]`: initialising page descriptors, warm and cold, beside a C
 * loop over 64-byte descriptors and native memset of our bytes; scaling by threads in the layout of the published
 * tables; time to the first allocation by memory size; mapping device memory.
 */
import { availableParallelism, cpus } from 'node:os';
import { createWorkPool } from '@bootmem/padata';
import { benchOptions, integer } from '../../kit/options.js';
import { Samples } from '../../kit/samples.js';
import { deviceMapping } from './cases/devices.js';
import { firstAllocation } from './cases/first-allocation.js';
import { init } from './cases/init.js';
import { scaling } from './cases/scaling.js';

const CASES = { init, scaling, first: firstAllocation, devices: deviceMapping };

const { quick, json, threads, cases } = benchOptions(
  'page-init',
  'Initialising page descriptors: rate, scaling, time to the first allocation, device memory.',
  Object.keys(CASES),
  { threads: integer(availableParallelism(), 'most threads, default: the processors', 2) },
);
const most = Math.max(2, threads);
const threadCounts = [...new Set([1, 2, Math.ceil(most / 2), most])].sort((a, b) => a - b);
const pool = createWorkPool({ threads: most - 1 });
await pool.ready();
if (!json) {
  const model = cpus()[0]?.model ?? 'CPU';
  console.log(`${model}, ${availableParallelism()} threads, Node ${process.version}`);
}
const samples = new Samples('page-init');
for (const [name, run] of Object.entries(CASES))
  if (cases.includes(name)) await run(samples, { quick, json, most, threadCounts, pool });
await pool.close();
// The tables for people are drawn by each case, with its own columns.
if (json) samples.print({ json });
