/**
 * npm run soak -- accept-model [--minutes M] [--workers 2|3]
 *
 * Explores the written model of the accept protocol over every schedule for up to three workers and four units
 * (test/model). The largest cases take steps together that no other worker can tell apart. Smallest cases first;
 * ends after M minutes (default: when all are done) and says how many of all cases it got through.
 */
import { explore } from '../../../packages/unaccepted-memory/test/model/accept-model.js';
import type { ModelConfig } from '../../../packages/unaccepted-memory/test/model/accept-model.js';
import { requestsOf, variants } from '../../../packages/unaccepted-memory/test/model/cases.js';

function numberOf(name: string, fallback: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

const cases: ModelConfig[] = [];
for (let workers = 2; workers <= numberOf('--workers', 3); workers += 1) {
  for (let units = 1; units <= 4; units += 1) {
    for (const requests of requestsOf(workers, units)) {
      if (workers === 2) {
        for (const mortal of [false, true]) {
          for (const variant of variants(mortal)) cases.push({ units, requests, ...variant });
        }
      } else {
        cases.push({
          units,
          requests,
          cellsPerUnit: 1,
          maxRun: 8,
          repeatable: false,
          coarse: true,
        });
      }
    }
  }
}
const weight = ({ requests, cellsPerUnit }: ModelConfig): number =>
  requests.reduce((sum, [start, end]) => sum + (end - start) * cellsPerUnit, requests.length * 2);
cases.sort((a, b) => weight(a) - weight(b));

const until = performance.now() + numberOf('--minutes', Number.POSITIVE_INFINITY) * 60_000;
let explored = 0;
let states = 0;
let schedules = 0n;
let violations = 0;
let nextLine = performance.now() + 60_000;
for (const config of cases) {
  if (performance.now() > until) break;
  const result = explore(config);
  explored += 1;
  states += result.states;
  schedules += result.schedules;
  violations += result.violations.length;
  for (const violation of result.violations) console.log(`${JSON.stringify(config)}: ${violation}`);
  if (performance.now() > nextLine) {
    console.log(`${explored} of ${cases.length} cases, ${states} states, ${schedules} schedules`);
    nextLine += 60_000;
  }
}
console.log(
  `${explored} of ${cases.length} cases, ${states} states, ${schedules} schedules explored`,
);
console.log(`accept-model: ${states} operations, ${violations} violations`);
process.exitCode = violations === 0 ? 0 : 1;
