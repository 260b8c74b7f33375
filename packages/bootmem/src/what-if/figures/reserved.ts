/** What early memory is kept for. */
import type { Memblock } from '@bootmem/memblock';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { NO_DEBUG } from '../boot-state.js';
import type { BootState } from '../boot-state.js';
import { hugePagesAsked } from '../requests/huge-pages.js';
import { bounceBytes, needsBounceBuffer } from '../rerun/size-rules.js';
import { MAX_ORDER } from './blocks.js';
import { rangeText } from './figure.js';
import type { Figure } from './figure.js';

export function reservedFigures(
  plan: LayoutPlan,
  { outcomes, description, memblock, nodeData }: BootState,
): Figure[] {
  const own = { group: 'reserved', basis: 'state' } as const;
  const figures: Figure[] = outcomes.map(({ id, label, ranges, asked, each, failed, kind }) => ({
    ...own,
    id,
    label,
    ...(kind === 'huge-pages'
      ? { unit: 'text' as const, value: `${ranges.length} of ${asked / (each ?? 1)}` }
      : {
          unit: 'range' as const,
          value:
            ranges.length === 0
              ? 'none'
              : ranges.map(({ start, end }) => rangeText(start, end)).join(', '),
        }),
    ...(failed === undefined ? {} : { remark: failed }),
    ranges,
  }));
  figures.push(...smallHugePages(plan, memblock));
  if (plan.description.architecture === 'x86_64') {
    const bytes = needsBounceBuffer(plan) ? bounceBytes(plan.description) : 0;
    figures.push({
      ...own,
      basis: 'layout',
      id: 'bounce buffer',
      label: 'bounce buffer (swiotlb)',
      unit: 'bytes',
      value: bytes,
    });
  }
  const { ramdisk } = description.printed;
  if (ramdisk !== undefined) {
    figures.push({
      ...own,
      id: 'initrd',
      label: 'initrd',
      unit: 'range',
      value: rangeText(ramdisk.start, ramdisk.end),
    });
  }
  for (const { nid } of plan.layout.nodes) {
    const place = nodeData?.get(nid);
    if (nodeData !== undefined && place === undefined) continue;
    figures.push({
      ...own,
      id: `node data ${nid}`,
      label: `data of node ${nid}`,
      unit: 'range',
      ...(place === undefined
        ? { unknown: NO_DEBUG }
        : { value: rangeText(place.start, place.end) }),
    });
  }
  figures.push({
    ...own,
    id: 'free at hand-over',
    label: 'free at the hand-over',
    unit: 'bytes',
    value: freeBytes(memblock),
  });
  return figures;
}

/** Huge pages that the page allocator makes later: no early memory is kept for them. */
function smallHugePages(plan: LayoutPlan, memblock: Memblock): Figure[] {
  const free = freeBytes(memblock);
  return hugePagesAsked(plan.description)
    .filter(({ pageBytes }) => pageBytes <= 2 ** MAX_ORDER * plan.pageSize)
    .map(({ pageBytes, count, perNode }) => {
      const pages = count ?? (perNode ?? []).reduce((sum, one) => sum + one.count, 0);
      const most = Math.floor(free / pageBytes);
      const mib = pageBytes / 2 ** 20;
      return {
        id: `huge pages ${mib} MiB`,
        group: 'reserved',
        basis: 'model',
        label: `huge pages of ${mib} MiB`,
        unit: 'text',
        value: `${pages} asked`,
        remark: `made by the page allocator after the hand-over, of what is free then; at most ${most} fit`,
      };
    });
}

function freeBytes(memblock: Memblock): number {
  return [...memblock.freeRanges()].reduce((sum, { start, end }) => sum + end - start, 0);
}
