// When a series halts: the count alone.
import { expect, test } from '@jest/globals';
import type { HaltPolicy } from '@bootmem/padata';
import { HaltCounter } from '../dist/series/halt.js';

/** The outcome at which it halts, counted from 1; outcomes are written as o (good) and x (failed). */
function haltsAt(policy: HaltPolicy, outcomes: string): number | undefined {
  const halt = new HaltCounter(policy);
  const at = outcomes.split('').findIndex((outcome) => halt.count(outcome === 'x'));
  return at < 0 ? undefined : at + 1;
}

test.each<[HaltPolicy, string, number | undefined]>([
  ['never', 'xxxxxxxx', undefined],
  ['soon,fail=2', 'oxoox', 5],
  ['now,success=2', 'xoxo', 4],
  ['soon,done=3', 'oxo', 3],
  // A share says something from three of them on.
  ['soon,fail=1%', 'xx', undefined],
  ['soon,fail=1%', 'xxx', 3],
  ['soon,fail=50%', 'ooooxxxx', 8],
  ['soon,fail=50%', 'xoxoooox', undefined],
  ['now,success=60%', 'oxooxx', 4],
])('%s, after %s: %s', (policy, outcomes, at) => {
  expect(haltsAt(policy, outcomes)).toBe(at);
});
