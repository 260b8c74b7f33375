/**
 * `npm run soak -- accept-model` explores the written model of the accept protocol over every schedule for up to three workers and four units
 * (test/model). The largest cases take steps together that no other worker can tell apart. Smallest cases first;
 * ends after --minutes (default: when all are done) and says how many of all cases it got through.
 */
import { explore } from '../../../packages/unaccepted-memory/test/model/accept-model.js';
import type { ModelConfig } from '../../../packages/unaccepted-memory/test/model/accept-model.js';
import { integer, number, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';
import { requestsOf, variants } from '../../../packages/unaccepted-memory/test/model/cases.js';

const { minutes, workers: mostWorkers } = readOptions(
  { name: 'soak -- accept-model', about: 'Every schedule of the accept protocol, by its model.' },
  {
    minutes: number(Infinity, 'ends after so many, default: when all is explored'),
    workers: integer(3, 'most workers, 2 or 3, default 3', 2),
  },
).values;

const cases: ModelConfig[] = [];
for (let workers = 2; workers <= mostWorkers; workers += 1) {
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
          repeatable: 'never',
          coarse: true,
        });
      }
    }
  }
}
const weight = ({ requests, cellsPerUnit }: ModelConfig): number =>
  requests.reduce((sum, [start, end]) => sum + (end - start) * cellsPerUnit, requests.length * 2);
cases.sort((a, b) => weight(a) - weight(b));

const log = new RunLog('accept-model');
let explored = 0;
let schedules = 0n;
for (const config of cases) {
  if (log.over(minutes)) break;
  const result = explore(config);
  explored += 1;
  log.done += result.states;
  schedules += result.schedules;
  for (const violation of result.violations) log.fault(`${JSON.stringify(config)}: ${violation}`);
  log.tick(`${explored} of ${cases.length} cases, ${schedules} schedules`);
}
console.log(
  `${explored} of ${cases.length} cases, ${log.done} states, ${schedules} schedules explored`,
);
log.finish();
