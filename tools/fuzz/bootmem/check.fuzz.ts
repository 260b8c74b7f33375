/**
 * `npm run fuzz -- check`: mutated boot logs through the whole of `check`. Whatever the bytes, the outcome is a report
 * (or a report with a reason), never another error, never more than a second of processor time. Input INDEX of a run
 * depends on SEED and INDEX alone; --only makes one again and prints it.
 */
import { readFileSync } from 'node:fs';
import { parseDescription } from '@bootmem/firmware-map';
import { fixtureOracle, listBoots } from '@bootmem-tools/oracle';
import { checkMachine } from 'bootmem/check';
import { integer, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';
import { stopwatch } from '../../kit/stopwatch.js';

/** Processor time: waiting for a busy machine is no fault of an input. */
const LONGEST_MS = 1000;

const { count, seed, only } = readOptions(
  { name: 'fuzz -- check', about: 'Mutated boot logs through the whole of check.' },
  {
    count: integer(20_000, 'inputs, default 20000'),
    seed: integer(1, 'default 1'),
    only: integer(undefined, 'this input alone, printed'),
  },
).values;

/** Lines that matter, so that a mutation seldom hits something that nobody reads. */
const WORTH =
  /e820|SRAT|NUMA|node|zone|Zone|memblock|MEMBLOCK|memory|Memory|mem |reserved\[|pages|Command line|version/;
const dir = fixtureOracle('boots');
const seeds = [
  readFileSync(
    new URL('../../../packages/bootmem/samples/k61-4n-odd/dmesg.txt', import.meta.url),
    'utf8',
  ),
  ...(dir === undefined ? [] : listBoots(dir).map((boot) => boot.text('dmesg.txt'))),
].map((text) => text.split('\n').filter((line) => WORTH.test(line)));

const OPTIONS = [
  'mem=1G',
  'memmap=exactmap',
  'memmap=64M$512M',
  'memmap=1G!1G',
  'kernelcore=50%',
  'movablecore=1G',
  'kernelcore=mirror',
  'movable_node',
  'numa=off',
  'numa=fake=3',
  'crashkernel=256M',
  'accept_memory=eager',
  'memmap=4K@0',
  'mem=4096',
];

function mutateLine(line: string, random: Random): string {
  switch (random.below(8)) {
    case 0:
      return line.replace(/[\da-f]/i, () => '0123456789abcdef'[random.below(16)]!);
    case 1:
      return line.replace(/[\da-f](?=[\]\-, ])/i, () => '0123456789abcdef'[random.below(16)]!);
    case 2:
      return line.slice(0, random.below(line.length + 1));
    case 3:
      return line.replace(/usable|reserved|persistent/, () =>
        random.pick(['usable', 'reserved', 'ACPI NVS', 'persistent (type 7)', 'unusable']),
      );
    case 4:
      return line.replace(/node +\d+/i, `node ${random.below(1100)}`);
    case 5:
      return line.replace(/Command line: /, `Command line: ${random.pick(OPTIONS)} `);
    case 6:
      return line.replace(
        /version \d+\.\d+/,
        () => `version ${random.below(8)}.${random.below(20)}`,
      );
    default:
      return line.replace(/0x0*/, () => `0x${'f'.repeat(random.below(16))}`);
  }
}

function mutate(random: Random): string {
  const lines = [...random.pick(seeds)];
  for (let round = 1 + random.below(6); round > 0; round--) {
    const at = random.below(lines.length);
    switch (random.below(5)) {
      case 0:
        lines.splice(at, 1 + random.below(4));
        break;
      case 1:
        lines.splice(at, 0, lines[random.below(lines.length)] ?? '');
        break;
      case 2:
        lines.splice(at, random.below(lines.length));
        break;
      default:
        lines[at] = mutateLine(lines[at] ?? '', random);
    }
    if (lines.length === 0) break;
  }
  return lines.join('\n');
}

const log = new RunLog('check', { done: 'inputs', faults: 'failures' });
const first = only ?? 0;
const last = only === undefined ? count : first + 1;
for (let index = first; index < last; index++) {
  const text = mutate(new Random(seed, index));
  if (only !== undefined) console.log(text);
  const times = stopwatch();
  try {
    const result = parseDescription(text, { name: 'fuzz' });
    if (result.ok) checkMachine({ description: result.description, source: 'fuzz', notes: [] });
  } catch (error) {
    log.fault(`input ${index} of seed ${seed}: ${(error as Error).stack ?? String(error)}`);
  }
  const { cpuMs } = times();
  if (cpuMs > LONGEST_MS)
    log.fault(`input ${index} of seed ${seed}: took ${cpuMs.toFixed(0)} ms of processor time`);
  log.done += 1;
  log.tick();
}
log.finish();
