/** The figures of one boot that two boots are compared by, in the order of the table. */
import type { Steps } from '@bootmem/firmware-map/derive';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import type { BootState } from '../boot-state.js';
import type { NoModel } from '../requests/wishes.js';
import { blockFigures } from './blocks.js';
import type { Figure } from './figure.js';
import { memoryFigures, nodeFigures } from './layout.js';
import { reservedFigures } from './reserved.js';
import { timeFigures } from './time.js';
import { zoneFigures } from './zones.js';

/** What figures depend on besides. */
export interface FigureOptions {
  readonly unmodelled: readonly NoModel[];
  /** Whether the build has transparent huge pages, which raise watermarks. */
  readonly hasHugePages: boolean;
}

/** Everything, in the order of the table. */
export function* figuresOf(
  plan: LayoutPlan,
  state: BootState,
  { unmodelled, hasHugePages }: FigureOptions,
): Steps<Figure[]> {
  const layout = [...memoryFigures(plan), ...nodeFigures(plan)];
  yield;
  const zones = yield* zoneFigures(plan, state, hasHugePages);
  yield;
  const reserved = reservedFigures(plan, state);
  yield;
  const blocks = yield* blockFigures(plan, state);
  yield;
  return [
    ...layout,
    ...zones,
    ...reserved,
    ...unmodelled.map(({ id, label, why }) => ({
      id,
      label,
      group: 'reserved' as const,
      unit: 'text' as const,
      basis: 'state' as const,
      unknown: why,
    })),
    ...blocks,
    ...timeFigures(plan, state),
  ];
}
