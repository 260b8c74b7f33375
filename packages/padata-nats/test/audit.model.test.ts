import { describe, expect, test } from '@jest/globals';
import { SOUND_AUDIT, exploreAudit } from './model/audit-model.js';
import type { AuditCase } from './model/audit-model.js';

describe('the audit of a silent run, over all orders of its steps', () => {
  test.each([
    ['one job, two losses', { jobs: 1, losses: 2 }],
    ['two jobs, nothing lost', { jobs: 2, losses: 0 }],
    ['two jobs, one loss', { jobs: 2, losses: 1 }],
    ['one job, one loss, and its message stays', { jobs: 1, losses: 1, kept: 1 }],
    ['two jobs, and the server forgets two things', { jobs: 2, losses: 0, forgets: 2 }],
    ['two jobs, one kept and something forgotten', { jobs: 2, losses: 0, kept: 1, forgets: 1 }],
    ['two jobs, two of them held back', { jobs: 2, losses: 0, held: 2 }],
    ['one job, lost, forgotten, held back', { jobs: 1, losses: 1, forgets: 1, held: 1 }],
    [
      'one job, forgotten twice, and the run taken away',
      { jobs: 1, losses: 0, forgets: 2, purges: 1 },
    ],
  ])('%s: nothing is called lost that is there, no job waits for ever', (_name, size) => {
    const { violation, states } = exploreAudit(size, SOUND_AUDIT);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(50);
  });
});

describe('what exploring finds when a rule is left out', () => {
  const broken: readonly (readonly [string, AuditCase, string])[] = [
    ['jobsFirst', { jobs: 1, losses: 0 }, 'is called lost and is not'],
    ['lastRead', { jobs: 2, losses: 1 }, 'is called lost and is not'],
    ['confirmedOnly', { jobs: 1, losses: 0 }, 'is called lost and is not'],
    ['stillOpen', { jobs: 1, losses: 1 }, 'has two outcomes'],
    ['ackFloor takesAway', { jobs: 1, losses: 1, kept: 1 }, 'waits for ever'],
    ['lastRead', { jobs: 2, losses: 0, forgets: 1 }, 'is called lost and is not'],
    ['takesAway', { jobs: 1, losses: 0, held: 1 }, 'waits for ever'],
    ['asksWorkers', { jobs: 1, losses: 0, held: 1 }, 'is called lost and is not'],
    ['endMark', { jobs: 1, losses: 0, forgets: 1 }, 'is called ended and is not'],
    ['audits', { jobs: 1, losses: 1 }, 'waits for ever'],
  ];
  test.each(broken)('%s', (rules, size, expected) => {
    const without = Object.fromEntries(rules.split(' ').map((rule) => [rule, false]));
    const { violation } = exploreAudit(size, { ...SOUND_AUDIT, ...without });
    expect(violation).toContain(expected);
  });
});
