// Variants of recordings whose outcome is known without a kernel: guards rules against being fitted to the recordings.
//   npm run conformance -- metamorphic [FOLDER or FILE…]
//   npm run conformance -- metamorphic --seed 7 --count 3       other variants, more of them
//   npm run conformance -- metamorphic --rule 'nodes swapped' --only k61-4n-odd
//   npm run conformance -- metamorphic --plants                 each planted fault must be caught
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { conformanceOptions, flag, integer, text } from '../kit/options.js';
import { Random } from '../kit/random.mjs';
import { isCaught, PLANT_COUNT, runPlants } from './metamorphic/plants.js';
import { readRecordings } from './metamorphic/recording.js';
import { ALL_RULES } from './metamorphic/rules.js';
import { Runner } from './metamorphic/runner.js';
import { bootInFront } from './metamorphic/rules/identity.js';

const {
  paths: given,
  seed,
  count,
  rule: wanted,
  only,
  show,
  plant,
  plants,
  'until-failure': untilFailure,
} = conformanceOptions(
  'metamorphic',
  'Variants of recordings whose outcome is known without a kernel.',
  'PATH',
  {
    seed: integer(1, 'which variants'),
    count: integer(1, 'variants of each recording for each rule', 1),
    rule: text('', 'rules whose class and name, as in "renaming: nodes swapped", hold this'),
    only: text('', 'recordings whose name holds this'),
    show: integer(20, 'failures that are printed and kept in few lines'),
    plant: integer(
      0,
      `one of the ${PLANT_COUNT} faults, built into a copy of the rules, must be caught`,
    ),
    plants: flag('each of the faults, one after another'),
    'until-failure': flag('stop at the first failure'),
  },
);

const shared = (['boots', 'boots2', 'corpus'] as const).flatMap((name) => sharedOracle(name) ?? []);
const roots = given.length > 0 ? given : shared;
if (plants) {
  process.exitCode = runPlants(given, seed);
} else if (plant > 0 && plant <= PLANT_COUNT) {
  process.exitCode = isCaught(plant, given, seed) ? 0 : 1;
} else if (roots.length === 0) {
  console.log('no recordings here; name a folder');
  process.exitCode = 2;
} else {
  const all = await readRecordings(roots);
  const rules = [...ALL_RULES, bootInFront(all)].filter((rule) =>
    `${rule.class}: ${rule.name}`.includes(wanted),
  );
  const folder = join(tmpdir(), `bootmem-metamorphic-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const save = (name: string, content: string | Uint8Array): void => {
    writeFileSync(join(folder, name), content);
  };
  const runner = new Runner(folder, save, show);
  for (const [stream, recording] of all.entries()) {
    if (!recording.name.includes(only) || (untilFailure && runner.failed > 0)) continue;
    for (const [at, rule] of rules.entries()) {
      for (let round = 0; round < count; round++) {
        const random = new Random(seed, (stream * rules.length + at) * count + round);
        await runner.run(recording, rule, random);
      }
    }
  }
  runner.print(seed);
  if (runner.failed === 0) rmSync(folder, { recursive: true });
  process.exitCode = runner.failed === 0 ? 0 : 1;
}
