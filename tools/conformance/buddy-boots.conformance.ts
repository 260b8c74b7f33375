// `npm run conformance -- buddy-boots [FOLDER]`: zones, watermarks, free lists and /proc texts of
// @bootmem/buddy-allocator against recorded boots. FOLDER holds one folder per boot; default: the shared
// recordings, or the few in the repository. Last line `buddy-boots: N passed, N failed`.
import { listBoots, sharedOracle } from '@bootmem-tools/oracle';
import { conformanceOptions } from '../kit/options.js';
import { Checks } from './buddy-boots/checks.js';
import { machineOf } from './buddy-boots/machine.js';
import { checkHandOver } from './buddy-boots/lists-check.js';
import { checkMarks } from './buddy-boots/marks-check.js';
import { checkTexts } from './buddy-boots/texts-check.js';
import { checkZones } from './buddy-boots/zones-check.js';

const { paths } = conformanceOptions(
  'buddy-boots',
  'Zones, watermarks, free lists and /proc texts against recorded boots.',
  'FOLDER',
  {},
);
const shared = sharedOracle('boots');
const folders = paths.length > 0 ? paths : shared === undefined ? [] : [shared];
if (folders.length === 0) {
  console.error('buddy-boots: no recorded boots here; name a folder');
  process.exit(2);
}
let passed = 0;
let failed = 0;
for (const boot of folders.flatMap((folder) => listBoots(folder))) {
  if (!boot.points('zones').includes('P4')) {
    console.log(`${boot.name}: left out, no snapshots`);
    continue;
  }
  const checks = new Checks();
  try {
    const machine = machineOf(boot);
    checkZones(machine, checks);
    checkMarks(machine, checks);
    checkHandOver(machine, checks);
    checkTexts(machine, checks);
  } catch (error) {
    checks.failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  passed += checks.passed;
  failed += checks.failures.length;
  for (const failure of checks.failures) console.log(`${boot.name}: ${failure}`);
}
if (passed === 0) failed += 1;
console.log(`buddy-boots: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
