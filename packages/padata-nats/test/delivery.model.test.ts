import { describe, expect, test } from '@jest/globals';
import { SOUND, exploreDelivery } from './model/delivery-model.js';
import type { DeliveryCase, DeliveryRules } from './model/delivery-model.js';

const size = (changes: Partial<DeliveryCase>): DeliveryCase => ({
  jobs: 2,
  workers: 2,
  window: 2,
  workerDeaths: 1,
  silences: 1,
  submitterDeaths: 0,
  ...changes,
});

describe('the delivery protocol, over all orders of its steps', () => {
  test.each([
    ['two jobs, two workers, a death and a silence', size({})],
    ['three jobs through a window of two', size({ jobs: 3 })],
    ['two deaths', size({ workerDeaths: 2, silences: 0 })],
    ['two silences', size({ workerDeaths: 0, silences: 2 })],
    ['a submitter that dies', size({ submitterDeaths: 1, silences: 0 })],
    ['a submitter and a worker that die, and a silence', size({ workers: 1, submitterDeaths: 1 })],
    ['one job, everything', size({ jobs: 1, workerDeaths: 2, silences: 1, submitterDeaths: 1 })],
  ])('%s: every callback once and in order, nothing left on the server', (_name, one) => {
    const { violation, states, ends } = exploreDelivery(one, SOUND);
    expect(violation).toBeUndefined();
    expect(ends).toBeGreaterThan(0);
    expect(states).toBeGreaterThan(50);
  });
});

describe('what exploring finds when a rule is left out', () => {
  const broken: readonly (readonly [keyof DeliveryRules, Partial<DeliveryCase>, string])[] = [
    ['ackAfterStore', {}, 'it ends after'],
    ['dropDuplicates', {}, 'it ends after'],
    ['inOrder', { workerDeaths: 0, silences: 0 }, 'callbacks came as'],
    ['epochInIds', { workerDeaths: 0, silences: 0, submitterDeaths: 1 }, 'it ends after'],
  ];
  test.each(broken)('%s', (rule, changes, expected) => {
    const { violation } = exploreDelivery(size(changes), { ...SOUND, [rule]: false });
    expect(violation).toContain(expected);
  });
});
