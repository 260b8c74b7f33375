// Odd inputs for every reader of this package.
//   npm run fuzz -- firmware-map [--count N] [--seed S] [--only INDEX]
// Input INDEX of a run depends on SEED and INDEX alone; --only makes one again and prints it.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseDescription, synthesize, toJson } from '@bootmem/firmware-map';
import { checkInput } from './invariants.js';
import { mutate } from './mutate.js';
import { Random } from './random.js';

/** An input that takes more processor time counts as a hang; waiting for a busy machine is no fault of an input. */
const LONGEST_MS = 1000;
const MOST_HEAP = 1 << 29;
const FIXTURES = fileURLToPath(
  new URL('../../../packages/firmware-map/test/fixtures/', import.meta.url),
);

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);

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
let failures = 0;
let slowest = 0;
let slowestIndex = 0;
const first = values.only === undefined ? 0 : Number(values.only);
const last = values.only === undefined ? count : first + 1;
for (let index = first; index < last; index++) {
  const random = new Random(Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b));
  const input = inputOf(all, random);
  if (values.only !== undefined)
    console.log(JSON.stringify(input instanceof Uint8Array ? [...input] : input));
  const start = process.cpuUsage();
  try {
    checkInput(input, random);
  } catch (error) {
    failures++;
    if (failures <= 20)
      console.log(`input ${index} of seed ${seed}: ${(error as Error).stack ?? String(error)}`);
  }
  const used = process.cpuUsage(start);
  const milliseconds = (used.user + used.system) / 1000;
  if (milliseconds > slowest) [slowest, slowestIndex] = [milliseconds, index];
  if (milliseconds > LONGEST_MS) {
    failures++;
    console.log(`input ${index} of seed ${seed}: took ${Math.round(milliseconds)} ms`);
  }
  if ((index & 0xffff) === 0xffff) {
    const heap = process.memoryUsage().heapUsed;
    if (heap > MOST_HEAP) {
      failures++;
      console.log(`after input ${index}: ${Math.round(heap / 2 ** 20)} MiB of heap in use`);
    }
  }
}
console.log(`slowest input: ${slowest.toFixed(1)} ms (input ${slowestIndex})`);
console.log(`firmware-map: ${last - first} inputs, ${failures} failures`);
process.exitCode = failures > 0 ? 1 : 0;
