/**
 * `npm run soak -- convert-model` runs the conversion steps that ship through every interleaving of the cases that are too
 * large for every test run, after those that are not (packages/unaccepted-memory/test/model/convert-model.ts).
 */
import { explore } from '@bootmem/padata/testing';
import {
  CASES,
  LARGE_CASES,
  convertModel,
} from '../../../packages/unaccepted-memory/test/model/convert-model.js';
import { integer, number, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';

const { minutes, states } = readOptions(
  {
    name: 'soak -- convert-model',
    about: 'Every interleaving of conversion, acceptance and deaths.',
  },
  {
    minutes: number(Infinity, 'begins no case after so many, default: all are explored'),
    states: integer(30_000_000, 'most states of a case, default 30000000'),
  },
).values;

const log = new RunLog('convert-model', { done: 'states', faults: 'violations' });
let schedules = 0;
for (const [name, config] of [...CASES, ...LARGE_CASES]) {
  if (log.over(minutes)) break;
  const found = explore(convertModel(config), states);
  log.done += found.states;
  schedules += found.schedules;
  if (found.violation !== undefined) log.fault(`${name}: ${found.violation.text}`);
  console.log(`${name}: ${found.states} states, ${found.schedules} schedules`);
}
console.log(`${schedules} schedules`);
log.finish();
