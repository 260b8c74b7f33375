// Recorded boots: every fact of the log and of the files beside it, and the replay of its memblock lines.
//   npm run conformance -- boots [FOLDER…]     a folder of boots, or one boot's folder
//   npm run conformance -- boots --zoneinfo    and how much of /proc/zoneinfo is compared, by architecture
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { conformanceOptions, flag } from '../kit/options.js';
import { printOutcomes, runLog } from './log-runner.js';
import type { LogOutcome } from './log-runner.js';
import { architectureOf, zoneinfoShares } from './zoneinfo-shares.js';

const isBoot = (folder: string): boolean =>
  ['dmesg.txt', 'console.txt'].some((name) => existsSync(join(folder, name)));

const { paths: given, zoneinfo } = conformanceOptions(
  'boots',
  'Every fact of recorded boots, and the replay of their memblock lines.',
  'FOLDER',
  { zoneinfo: flag('the share of facts of /proc/zoneinfo that are compared, by architecture') },
);
const fallback = sharedOracle('boots');
const roots = given.length > 0 ? given : fallback === undefined ? [] : [fallback];
if (roots.length === 0) {
  console.log('no recorded boots here; name a folder');
  process.exitCode = 2;
}
const outcomes: (LogOutcome & { architecture: string })[] = [];
for (const root of roots) {
  const folders = isBoot(root)
    ? [root]
    : readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && isBoot(join(root, entry.name)))
        .map((entry) => join(root, entry.name))
        .sort();
  for (const folder of folders) {
    const architecture = zoneinfo ? await architectureOf(folder) : 'unknown';
    outcomes.push({ ...(await runLog(folder, true)), architecture });
  }
}
if (zoneinfo) for (const line of zoneinfoShares(outcomes)) console.log(line);
if (roots.length > 0) printOutcomes('boots', outcomes);
