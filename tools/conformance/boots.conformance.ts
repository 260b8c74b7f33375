// Recorded boots: every fact of the log and of the files beside it, and the replay of its memblock lines.
//   npm run conformance -- boots [FOLDER…]     a folder of boots, or one boot's folder
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { conformanceOptions } from '../kit/options.js';
import { printOutcomes, runLog } from './log-runner.js';
import type { LogOutcome } from './log-runner.js';

const isBoot = (folder: string): boolean =>
  ['dmesg.txt', 'console.txt'].some((name) => existsSync(join(folder, name)));

const { paths: given } = conformanceOptions(
  'boots',
  'Every fact of recorded boots, and the replay of their memblock lines.',
  'FOLDER',
  {},
);
const fallback = sharedOracle('boots');
const roots = given.length > 0 ? given : fallback === undefined ? [] : [fallback];
if (roots.length === 0) {
  console.log('no recorded boots here; name a folder');
  process.exitCode = 2;
}
const outcomes: LogOutcome[] = [];
for (const root of roots) {
  const folders = isBoot(root)
    ? [root]
    : readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && isBoot(join(root, entry.name)))
        .map((entry) => join(root, entry.name))
        .sort();
  for (const folder of folders) outcomes.push(await runLog(folder, true));
}
if (roots.length > 0) printOutcomes('boots', outcomes);
