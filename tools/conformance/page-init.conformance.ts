// `npm run conformance -- page-init [FOLDER] [--threads N]`: who initialises which page, against recorded boots: deferral
// points, descriptors page by page, pageblock types, section flags, managed pages, free blocks for several
// thread counts, device memory, hot-added memory. FOLDER holds one folder per boot; default: the shared
// recordings, or the few in the repository. N pool threads help (default 2; 0: without a pool). Last line `page-init: N passed, N failed`.
import { listBoots, sharedOracle } from '@bootmem-tools/oracle';
import { conformanceOptions, integer } from '../kit/options.js';
import { Checks } from './page-init/checks.js';
import { checkDeferred } from './page-init/deferred-check.js';
import { checkDevices } from './page-init/device-check.js';
import { checkEarly } from './page-init/early-check.js';
import { checkHotplug } from './page-init/hotplug-check.js';
import { machineOf } from './page-init/machine.js';

const { paths, threads } = conformanceOptions(
  'page-init',
  'Who initialises which page, against recorded boots.',
  'FOLDER',
  { threads: integer(2, 'pool threads that help, default 2; 0: without a pool') },
);
const shared = sharedOracle('boots');
const folders = paths.length > 0 ? paths : shared === undefined ? [] : [shared];
if (folders.length === 0) {
  console.error('page-init: no recorded boots here; name a folder');
  process.exit(2);
}
const pool =
  threads > 0 ? (await import('@bootmem/padata')).createWorkPool({ threads }) : undefined;
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
    checkEarly(machine, checks);
    await checkDeferred(machine, pool, checks);
    await checkDevices(machine, checks);
    checkHotplug(machine, checks);
  } catch (error) {
    checks.failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  passed += checks.passed;
  failed += checks.failures.length;
  for (const failure of checks.failures.slice(0, 8)) console.log(`${boot.name}: ${failure}`);
  if (checks.failures.length > 8) console.log(`${boot.name}: … ${checks.failures.length - 8} more`);
}
await pool?.close();
if (passed === 0) failed += 1;
console.log(`page-init: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
