/**
 * `npm run soak -- padata-pools`: what pools and series that were closed leave behind. Makes pools one after the other,
 * each with a series and a job, and calls `map()` on one pool; the process may hold at the end what it held after warming
 * up, and 20 MiB of memory and 5 descriptors more. `--self-test` keeps a MiB a pool, which has to be reported.
 *
 * V8 lets the young generation of a thread grow to three times 16 MiB before it collects what earlier steps have left there, after
 * some thousand calls or ten thousand: the threads of the calls have one of 2 MiB, so that what is left is what is held.
 */
import { createWorkPool, map } from '@bootmem/padata';
import { flag, integer, readOptions } from '../../kit/options.js';
import { footprint, inWords } from './padata-hostile/footprint.js';
import type { Footprint } from './padata-hostile/footprint.js';

/** What may have come to what is held after warming up. */
const MIB = 20;
const DESCRIPTORS = 5;
const MIB_BYTES = 2 ** 20;
/** Steps whose figures are printed. */
const PARTS = 5;
/** Steps after which it is collected: as often as a program that goes on to do something else would. */
const COLLECT_EVERY = 20;

const { values } = readOptions(
  { name: 'soak -- padata-pools', about: 'What closed pools and series leave behind.' },
  {
    pools: integer(1000, 'pools that are made and closed, default 1000', PARTS),
    calls: integer(10_000, 'calls of map(), default 10 000', PARTS),
    'self-test': flag('keep a MiB for each pool, which has to be reported'),
  },
);
const module = new URL('./jobs.mjs', import.meta.url);
// Plain JavaScript: threads without the loader for TypeScript start five times as fast.
const options = { threads: 2, execArgv: [] };
/** A fault that grows with each step is seen after so many. */
const stepsOf = (wanted: number): number => (values['self-test'] ? Math.min(wanted, 60) : wanted);
// Gives back what it gets; only negative numbers end its thread.
const fn = { module, name: 'fragile' };
let operations = 0;
let violations = 0;

/** A number of steps alike, of which the first warm up. */
interface Course {
  readonly name: string;
  readonly steps: number;
  readonly warmUp: number;
  readonly step: (k: number) => Promise<void>;
}

/** Goes through a course, and looks at what is held now and then. */
async function run({ name, steps, warmUp, step }: Course): Promise<void> {
  let before: Footprint | undefined;
  for (let k = 1; k <= steps + warmUp; k += 1) {
    await step(k);
    operations += 1;
    if (k % COLLECT_EVERY === 0) globalThis.gc?.();
    if (k < warmUp || (k - warmUp) % Math.ceil(steps / PARTS) !== 0) continue;
    const held = await footprint();
    before ??= held;
    console.log(`padata-pools: ${k} ${name}: ${inWords(held)}`);
  }
  const after = await footprint();
  if (before === undefined) return;
  const grown = [
    after.rss > before.rss + MIB ? `rss by ${(after.rss - before.rss).toFixed(0)} MiB` : '',
    after.descriptors > before.descriptors + DESCRIPTORS
      ? `descriptors from ${before.descriptors} to ${after.descriptors}`
      : '',
  ].filter((text) => text !== '');
  for (const text of grown) console.log(`padata-pools: ${name}: grown ${text}`);
  violations += grown.length;
}

const kept: Uint8Array[] = [];
await run({
  name: 'pools',
  steps: stepsOf(values.pools),
  warmUp: Math.min(100, stepsOf(values.pools)),
  async step(k) {
    const pool = createWorkPool(options);
    if ((await pool.series({ fn }).run(k)) !== k) throw new Error(`pool ${k} gave something else`);
    await pool.close();
    if (values['self-test']) kept.push(new Uint8Array(MIB_BYTES).fill(1));
  },
});
kept.length = 0;

const pool = createWorkPool({ ...options, resourceLimits: { maxYoungGenerationSizeMb: 2 } });
await run({
  name: 'calls',
  steps: stepsOf(values.calls),
  warmUp: Math.min(3000, stepsOf(values.calls)),
  async step(k) {
    const results = await map(pool, [k, k + 1, k + 2], fn);
    if (results.join() !== `${k},${k + 1},${k + 2}`)
      throw new Error(`call ${k} gave ${results.join()}`);
  },
});
await pool.close();

if (values['self-test']) {
  console.log(`padata-pools: self-test: ${violations} reported`);
  process.exitCode = violations > 0 ? 0 : 1;
} else {
  console.log(`padata-pools: ${operations} operations, ${violations} violations`);
  process.exitCode = violations === 0 ? 0 : 1;
}
