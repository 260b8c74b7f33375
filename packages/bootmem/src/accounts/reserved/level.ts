/** Present memory less what is reserved: what memblock hands to the page allocator. */
import type { ExplainLevel } from '../../explain-result.js';
import { LevelDraft } from '../base/level.js';
import { reservedByLines } from './by-lines.js';
import { reservedExactly } from './exactly.js';
import { handedOver, presentMemory } from './totals.js';
import type { Subject } from '../base/subject.js';

/** The level. */
export function reservedLevel(subject: Subject): ExplainLevel {
  const draft = new LevelDraft();
  if (!reservedExactly(subject, draft)) reservedByLines(subject, draft);
  const head = { id: 'reserved', title: 'Reserved by the kernel' } as const;
  return draft.finish(head, presentMemory(subject), handedOver(subject));
}
