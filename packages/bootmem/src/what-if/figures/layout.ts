/** What follows from the layout alone: memory and nodes. */
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { descriptorBytes } from '../boot-state.js';
import { rangeText } from './figure.js';
import type { Figure } from './figure.js';

export function memoryFigures(plan: LayoutPlan): Figure[] {
  const present = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
  const own = { group: 'memory', basis: 'layout' } as const;
  return [
    {
      ...own,
      id: 'present',
      label: 'memory of the kernel',
      unit: 'bytes',
      value: present * plan.pageSize,
    },
    {
      ...own,
      id: 'end',
      label: 'memory ends at',
      unit: 'bytes',
      value: plan.maxPfn * plan.pageSize,
    },
    {
      ...own,
      id: 'descriptors',
      label: `page descriptors (${plan.memoryModel.toUpperCase()})`,
      unit: 'bytes',
      value: descriptorBytes(plan),
    },
    ...plan.derived.persistent.map(({ start, end }, index) => ({
      ...own,
      id: `device memory ${index}`,
      label: 'device memory',
      unit: 'range' as const,
      value: rangeText(start, end),
    })),
  ];
}

export function nodeFigures(plan: LayoutPlan): Figure[] {
  const { pageSize } = plan;
  const own = { group: 'nodes', basis: 'layout' } as const;
  const holes = new Map<string, number>();
  for (const { nid, zone, pages } of plan.holes) {
    const key = `node ${nid} ${zone}`;
    holes.set(key, (holes.get(key) ?? 0) + pages);
  }
  return [
    ...plan.layout.nodes.map((node) => ({
      ...own,
      id: `node ${node.nid} extent`,
      label: `node ${node.nid}`,
      unit: 'range' as const,
      value:
        node.presentPages === 0
          ? 'no memory'
          : rangeText(node.startPfn * pageSize, node.endPfn * pageSize),
    })),
    ...plan.layout.nodes.map((node) => ({
      ...own,
      id: `node ${node.nid} present`,
      label: `node ${node.nid}, memory`,
      unit: 'pages' as const,
      value: node.presentPages,
    })),
    ...[...holes].map(([key, pages]) => ({
      ...own,
      id: `${key} holes`,
      label: `${key}, pages in holes`,
      unit: 'pages' as const,
      value: pages,
    })),
  ];
}
