import { describe, expect, test } from '@jest/globals';
import { SOUND_AUDIT, exploreAudit } from './model/audit-model.js';
import type { AuditCase, AuditRules } from './model/audit-model.js';

describe('the audit of a silent run, over all orders of its steps', () => {
  test.each([
    ['one job, two losses', { jobs: 1, losses: 2 }],
    ['two jobs, nothing lost', { jobs: 2, losses: 0 }],
    ['two jobs, one loss', { jobs: 2, losses: 1 }],
    ['one job, one loss, and its message stays', { jobs: 1, losses: 1, kept: 1 }],
  ])('%s: nothing is called lost that is there, no job waits for ever', (_name, size) => {
    const { violation, states } = exploreAudit(size, SOUND_AUDIT);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(50);
  });
});

describe('what exploring finds when a rule is left out', () => {
  const broken: readonly (readonly [keyof AuditRules, AuditCase, string])[] = [
    ['jobsFirst', { jobs: 1, losses: 0 }, 'is called lost and is not'],
    ['marks', { jobs: 2, losses: 1 }, 'is called lost and is not'],
    ['confirmedOnly', { jobs: 1, losses: 0 }, 'is called lost and is not'],
    ['stillOpen', { jobs: 1, losses: 1 }, 'has two outcomes'],
    ['ackFloor', { jobs: 1, losses: 1, kept: 1 }, 'waits for ever'],
    ['audits', { jobs: 1, losses: 1 }, 'waits for ever'],
  ];
  test.each(broken)('%s', (rule, size, expected) => {
    const { violation } = exploreAudit(size, { ...SOUND_AUDIT, [rule]: false });
    expect(violation).toContain(expected);
  });
});
