/** Time of deferred initialisation by the model of published machines; the slowest node decides. */
import type { ScalingNumbers } from '../../bench-result.js';
import { fitModel, pointsOf, predictMs } from '../../bench/model.js';
import { PUBLISHED_MACHINES } from '../../bench/published.js';
import { planPages } from '../../plan/init-plan.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { threadLimits } from '../../plan/limits/thread-limits.js';
import type { BootState } from '../boot-state.js';
import type { Figure } from './figure.js';

/** Fitted to the published machines, once. */
let published: ScalingNumbers | undefined;

export function timeFigures(plan: LayoutPlan, { memblock }: BootState): Figure[] {
  published ??= fitModel(PUBLISHED_MACHINES.flatMap(pointsOf));
  const model = published;
  const limits = threadLimits(plan, 'architecture');
  const times = planPages(plan, memblock, true).nodes.map(({ nid, deferredRanges }) => {
    const pages = deferredRanges.reduce((sum, { startPfn, endPfn }) => sum + endPfn - startPfn, 0);
    const threads = limits.of(nid);
    return pages === 0 ? 0 : predictMs(model, { pages, threads, cpus: threads });
  });
  return [
    {
      group: 'time',
      basis: 'model',
      id: 'deferred',
      label: 'deferred initialisation, by the model',
      unit: 'ms',
      value: Math.round(Math.max(0, ...times) * 10) / 10,
    },
  ];
}
