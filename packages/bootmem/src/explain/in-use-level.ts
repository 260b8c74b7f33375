/** What `MemTotal` is used for, from /proc/meminfo: what is left is free. */
import type { ExplainLevel } from '../explain-result.js';
import { LevelDraft } from '../accounts/base/level.js';
import type { RowKind } from '../accounts/base/row-kinds.js';
import type { Subject } from '../accounts/base/subject.js';

const HEAD = { id: 'in-use', title: 'In use' } as const;

/** Fields that count pages no other field counts. `VmallocUsed` holds kernel stacks where they are mapped there. */
const FIELDS: readonly (readonly [RowKind, readonly string[]])[] = [
  ['use-anonymous', ['AnonPages']],
  ['use-cache', ['Cached']],
  ['use-swap-cache', ['SwapCached']],
  ['use-buffers', ['Buffers']],
  ['use-slab', ['Slab']],
  ['use-page-tables', ['PageTables', 'SecPageTables']],
  ['use-per-cpu', ['Percpu']],
  ['use-huge-pages', ['Hugetlb']],
  ['use-hardware', ['HardwareCorrupted']],
];

/**
 * The level.
 * @returns `undefined` without /proc/meminfo
 */
export function inUseLevel({ plan, quote }: Subject): ExplainLevel | undefined {
  const { meminfo } = plan.description.proc;
  const total = meminfo?.['MemTotal'];
  const free = meminfo?.['MemFree'];
  if (meminfo === undefined || total === undefined || free === undefined) return undefined;
  const draft = new LevelDraft();
  const add = (kind: RowKind, names: readonly string[]): void => {
    const known = names.filter((name) => (meminfo[name] ?? 0) > 0);
    draft.add({
      kind,
      bytes: known.reduce((sum, name) => sum + meminfo[name]!, 0) * 1024,
      how: 'printed',
      evidence: known.map((name) => quote.beside('meminfo', 0, `${name}: ${meminfo[name]!} kB`)),
    });
  };
  for (const [kind, names] of FIELDS) add(kind, names);
  const stacks = meminfo['KernelStack'] ?? 0;
  const isMapped = (meminfo['VmallocUsed'] ?? 0) >= stacks;
  add(isMapped ? 'use-vmalloc' : 'use-stacks', [isMapped ? 'VmallocUsed' : 'KernelStack']);
  const whole = {
    label: 'MemTotal',
    bytes: total * 1024,
    evidence: [quote.beside('meminfo', 0, `MemTotal: ${total} kB`)],
  };
  const left = {
    label: 'MemFree',
    bytes: free * 1024,
    evidence: [quote.beside('meminfo', 0, `MemFree: ${free} kB`)],
  };
  return draft.finish(HEAD, whole, left);
}
