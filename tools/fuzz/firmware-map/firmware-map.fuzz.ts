/**
 * `npm run fuzz -- firmware-map`: odd inputs for every reader of the package. Input INDEX of a run depends on SEED and
 * INDEX alone; --only makes one again and prints it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDescription, synthesize, toJson } from '@bootmem/firmware-map';
import { checkInput } from './invariants.js';
import { mutate } from './mutate.js';
import { integer, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';
import { stopwatch } from '../../kit/stopwatch.js';

/** An input that takes more processor time counts as a hang; waiting for a busy machine is no fault of an input. */
const LONGEST_MS = 1000;
const MOST_HEAP = 1 << 29;
const FIXTURES = fileURLToPath(
  new URL('../../../packages/firmware-map/test/fixtures/', import.meta.url),
);

const { count, seed, only } = readOptions(
  { name: 'fuzz -- firmware-map', about: 'Mutated logs and documents for every reader.' },
  {
    count: integer(100_000, 'inputs, default 100000'),
    seed: integer(1, 'default 1'),
    only: integer(undefined, 'this input alone, printed'),
  },
).values;

function sources(): string[][] {
  const files = readdirSync(FIXTURES).filter((name) => /\.(?:dmesg|txt)$/.test(name));
  const texts = files.map((name) => readFileSync(FIXTURES + name, 'utf8'));
  const log = parseDescription(texts[files.indexOf('x86-2n.dmesg')]!);
  if (!log.ok) throw new Error('the fixture x86-2n.dmesg is not readable');
  // Short JSON, so that a cut-out piece still holds its head.
  const { numa, printed, memblock, ...rest } = log.description;
  const slim = { ...rest, numa, printed, memblock: { ...memblock, operations: [] } };
  texts.push(
    toJson(log.description),
    JSON.stringify(slim),
    toJson(synthesize({ memory: '4G', nodes: 2 })),
  );
  return texts.map((text) => text.split(/\n|<br \/>/));
}

function inputOf(all: readonly string[][], random: Random): string | Uint8Array {
  let text = mutate(random.pick(all), random);
  // Two inputs in one file; sometimes of two machines.
  if (random.once(6)) text += `\n${mutate(random.pick(all), random)}`;
  if (random.once(4)) {
    const bytes = new TextEncoder().encode(text);
    for (let times = random.below(4); times > 0 && bytes.length > 0; times--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    return bytes;
  }
  return text;
}

const all = sources();
const log = new RunLog('firmware-map', { done: 'inputs', faults: 'failures' });
let slowest = 0;
let slowestIndex = 0;
const first = only ?? 0;
const last = only === undefined ? count : first + 1;
for (let index = first; index < last; index++) {
  const random = new Random(seed, index);
  const input = inputOf(all, random);
  if (only !== undefined)
    console.log(JSON.stringify(input instanceof Uint8Array ? [...input] : input));
  const times = stopwatch();
  try {
    checkInput(input, random);
  } catch (error) {
    log.fault(`input ${index} of seed ${seed}: ${(error as Error).stack ?? String(error)}`);
  }
  const { cpuMs } = times();
  if (cpuMs > slowest) [slowest, slowestIndex] = [cpuMs, index];
  if (cpuMs > LONGEST_MS)
    log.fault(`input ${index} of seed ${seed}: took ${Math.round(cpuMs)} ms of processor time`);
  log.done += 1;
  log.tick();
  if ((index & 0xffff) === 0xffff) {
    const heap = process.memoryUsage().heapUsed;
    if (heap > MOST_HEAP)
      log.fault(`after input ${index}: ${Math.round(heap / 2 ** 20)} MiB of heap in use`);
  }
}
console.log(`slowest input: ${slowest.toFixed(1)} ms (input ${slowestIndex})`);
log.finish();
