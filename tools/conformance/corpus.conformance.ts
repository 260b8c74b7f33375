// Logs of real machines: every file is read or refused with a reason, every fact compared.
//   npm run conformance -- corpus [FOLDER or FILE…]
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { conformanceOptions } from '../kit/options.js';
import { printOutcomes, runLog } from './log-runner.js';
import type { LogOutcome } from './log-runner.js';

const { paths: given } = conformanceOptions(
  'corpus',
  'Logs of real machines: read or refused with a reason, every fact compared.',
  'PATH',
  {},
);
const fallback = sharedOracle('corpus');
const roots = given.length > 0 ? given : fallback === undefined ? [] : [fallback];
if (roots.length === 0) {
  console.log(
    'corpus: the collected logs are not part of the repository and none are here; name a folder',
  );
}
const outcomes: LogOutcome[] = [];
for (const root of roots) {
  const files = statSync(root).isDirectory()
    ? readdirSync(root)
        .filter((name) => /\.(dmesg|log|txt)$/.test(name))
        .map((name) => join(root, name))
        .sort()
    : [root];
  for (const file of files) outcomes.push(await runLog(file, true));
}
printOutcomes('corpus', outcomes);
