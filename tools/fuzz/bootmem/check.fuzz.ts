// Mutated boot logs through the whole of `check`: whatever the bytes, the outcome is a report (or a report
// with a reason), never another error, never more than a second.
//   npm run fuzz -- check [--count N] [--seed S]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseDescription } from '@bootmem/firmware-map';
import { fixtureOracle, listBoots } from '@bootmem-tools/oracle';
import { checkMachine } from 'bootmem/check';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
  },
});
const count = Number(values.count);

/** xorshift32: the same inputs for the same seed everywhere. */
let state = Number(values.seed) >>> 0 || 1;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

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

function mutateLine(line: string): string {
  switch (random(8)) {
    case 0:
      return line.replace(/[\da-f]/i, () => '0123456789abcdef'[random(16)]!);
    case 1:
      return line.replace(/[\da-f](?=[\]\-, ])/i, () => '0123456789abcdef'[random(16)]!);
    case 2:
      return line.slice(0, random(line.length + 1));
    case 3:
      return line.replace(
        /usable|reserved|persistent/,
        () => ['usable', 'reserved', 'ACPI NVS', 'persistent (type 7)', 'unusable'][random(5)]!,
      );
    case 4:
      return line.replace(/node +\d+/i, `node ${random(1100)}`);
    case 5:
      return line.replace(/Command line: /, `Command line: ${OPTIONS[random(OPTIONS.length)]!} `);
    case 6:
      return line.replace(/version \d+\.\d+/, () => `version ${random(8)}.${random(20)}`);
    default:
      return line.replace(/0x0*/, () => `0x${'f'.repeat(random(16))}`);
  }
}

function mutate(): string {
  const lines = [...seeds[random(seeds.length)]!];
  for (let round = 1 + random(6); round > 0; round--) {
    const at = random(lines.length);
    switch (random(5)) {
      case 0:
        lines.splice(at, 1 + random(4));
        break;
      case 1:
        lines.splice(at, 0, lines[random(lines.length)] ?? '');
        break;
      case 2:
        lines.splice(at, random(lines.length));
        break;
      default:
        lines[at] = mutateLine(lines[at] ?? '');
    }
    if (lines.length === 0) break;
  }
  return lines.join('\n');
}

let failures = 0;
for (let index = 0; index < count; index++) {
  const before = state;
  const text = mutate();
  const started = performance.now();
  try {
    const result = parseDescription(text, { name: 'fuzz' });
    if (result.ok) checkMachine({ description: result.description, source: 'fuzz', notes: [] });
  } catch (error) {
    failures++;
    if (failures <= 10) console.log(`state ${before}: ${(error as Error).stack ?? String(error)}`);
  }
  const ms = performance.now() - started;
  if (ms > 1000) {
    failures++;
    console.log(`state ${before}: ${ms.toFixed(0)} ms`);
  }
}
console.log(`check: ${count} inputs, ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
