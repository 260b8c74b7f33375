/** What is wrong with the firmware's tables, with memory that was lost, and with the log itself. */
import { planPages } from '../plan/init-plan.js';
import { overlapping, toPageFrames } from '../plan/page-frames.js';
import { Memblock } from '@bootmem/memblock';
import { formatBytes, formatCount } from '../format/numbers.js';
import { found } from './finding-list.js';
import type { FindingRule } from './finding-list.js';

/** A SRAT that the kernel threw away. */
export const rejectedTables: FindingRule = function* (searched) {
  const { rejected, srat } = searched.plan.description.numa;
  // Without a table there was nothing to throw away: one node is what such a machine has.
  if (rejected === undefined || srat.length === 0) return;
  const nodes = new Set(srat.map(({ nid }) => nid)).size;
  yield found(searched, rejected.line, {
    id: 'srat-rejected',
    severity: 'error',
    message: `the kernel threw the SRAT away${nodes > 1 ? ` and runs ${nodes} nodes as one` : ''}: ${rejected.reason}`,
    remedy: 'update the firmware: its table must cover all memory, once',
  });
};

/** Entries of a map that lie over each other. */
export const overlaps: FindingRule = function* (searched) {
  for (const { code, line, message } of searched.plan.description.problems) {
    if (code !== 'OVERLAP' || !message.startsWith('firmware map')) continue;
    yield found(searched, line, {
      id: 'map-overlap',
      severity: 'warning',
      message: `${message}; where entries overlap, the kernel takes the one that is less usable`,
      remedy: 'update the firmware',
    });
  }
};

/**
 * EFI boot services that kernels before the fix free before deferred initialisation: pages whose descriptors are still to
 * come are skipped, and nobody takes them later.
 */
export const lostPages: FindingRule = function* (searched) {
  const { plan } = searched;
  const { memblock, printed } = plan.description;
  const late = memblock.operations.flatMap((one) => (one.op === 'free-late' ? [one] : []));
  if (late.length === 0 || printed.deferred.length === 0) return;
  const deferredAt = new Map(printed.deferred.map(({ nid, line }) => [nid, line]));
  const { nodes } = planPages(plan, new Memblock(), true);
  const firstDeferred = new Map(nodes.map(({ nid, firstDeferredPfn }) => [nid, firstDeferredPfn]));
  let pages = 0;
  for (const { startPfn, endPfn, line } of toPageFrames(late, plan.pageSize, 'inward')) {
    for (const range of overlapping(plan.memory, startPfn, endPfn)) {
      if (line > (deferredAt.get(range.nid) ?? 0)) continue;
      const from = Math.max(startPfn, range.startPfn, firstDeferred.get(range.nid) ?? Infinity);
      pages += Math.max(0, Math.min(endPfn, range.endPfn) - from);
    }
  }
  if (pages === 0) return;
  yield found(searched, late[0]!.line, {
    id: 'deferred-loss',
    severity: 'error',
    message: `${formatBytes(pages * plan.pageSize)} (${formatCount(pages)} pages) were freed before their descriptors were there, and are lost until the next boot: MemTotal counts them, no zone has them`,
    remedy:
      'a kernel that frees EFI boot services after deferred initialisation (6.19, 6.12.117 and later)',
  });
};

/** One array of descriptors over a hole. */
export const flatMemory: FindingRule = function* (searched) {
  const { plan } = searched;
  if (plan.memoryModel !== 'flatmem') return;
  const first = plan.memory[0]?.startPfn ?? 0;
  const span = (plan.memory.at(-1)?.endPfn ?? 0) - first;
  const present = plan.memory.reduce((sum, { startPfn, endPfn }) => sum + endPfn - startPfn, 0);
  const bytes = (span - present) * 64;
  if (bytes < 2 ** 20) return;
  yield found(searched, plan.description.printed.unavailable[0]?.line ?? 0, {
    id: 'flatmem',
    severity: 'note',
    message: `the kernel keeps one array of descriptors (FLATMEM): its holes cost ${formatBytes(bytes)}`,
    remedy: 'a kernel with SPARSEMEM has descriptors where memory is',
  });
};

/** A log that was cut, wrapped or repeated. */
export const logShape: FindingRule = function* (searched) {
  const { problems, kernel, source } = searched.plan.description;
  if (kernel === undefined && source.format === 'boot-log') {
    yield found(searched, 0, {
      id: 'log-cut',
      severity: 'warning',
      message:
        'the log has no "Linux version" line: its beginning is lost, and with it the release',
      remedy:
        'boot with log_buf_len=16M, or take the log of a serial console; --profile names the release',
    });
  }
  const SAYS: Readonly<Record<string, string>> = {
    WRAPPED_LINE: 'log-wrapped',
    TRUNCATED: 'log-cut',
    REPEATED_LOG: 'log-repeated',
    LINE_TOO_LONG: 'log-cut',
  };
  for (const { code, line, message } of problems) {
    const id = SAYS[code];
    if (id === undefined) continue;
    const remedy = 'attach the log as a file, instead of pasting it';
    yield found(searched, line, { id, severity: 'note', message, remedy });
  }
};
