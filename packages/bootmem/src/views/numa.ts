/** The machine's nodes, as `numactl --hardware` shows them. */
import type { Steps } from '@bootmem/firmware-map/derive';
import { MemFlags } from '@bootmem/memblock';
import { handoverSteps } from '../accounts/handover.js';
import type { LoadedMachine } from '../input/types.js';
import { byNode } from '../plan/by-node.js';
import { planLayoutSteps } from '../plan/layout-plan.js';
import type { NumaView } from '../view-result.js';

/**
 * @param input  a loaded machine
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the description
 */
export function* numaView(input: LoadedMachine): Steps<NumaView> {
  const plan = yield* planLayoutSteps(input.description);
  yield;
  const { proc, numa, cpus } = input.description;
  const zones = (proc.zoneinfo ?? []).filter(({ free }) => free !== undefined);
  const booted = zones.length > 0 ? undefined : (yield* handoverSteps(plan)).memblock;
  yield;
  const free =
    booted === undefined
      ? zones.map(({ nid, free: pages = 0 }) => ({ nid, bytes: pages * plan.pageSize }))
      : [...booted.freeRanges({ flags: MemFlags.NONE })].map(({ start, end, nid }) => ({
          nid,
          bytes: end - start,
        }));
  yield;
  const freeOfNode = byNode(free);
  const freeOf = (nid: number): number =>
    (freeOfNode.get(nid) ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  // The SRAT lists processors in the order in which the kernel numbers them.
  const named = byNode(numa.cpus.map(({ nid }, index) => ({ nid, index })));
  const listed = byNode(proc.nodes ?? []);
  const isAlone = plan.layout.nodes.length === 1;
  const cpusOf = (nid: number): number[] => {
    const known = listed.get(nid)?.[0]?.cpus;
    if (known !== undefined) return [...known];
    if (named.size > 0 || !isAlone) return (named.get(nid) ?? []).map(({ index }) => index);
    return Array.from({ length: cpus.online ?? cpus.present ?? 0 }, (_, index) => index);
  };
  const nodes = plan.layout.nodes.map(({ nid, presentPages }) => ({
    nid,
    cpus: cpusOf(nid),
    sizeBytes: presentPages * plan.pageSize,
    freeBytes: freeOf(nid),
  }));
  const distances = numa.distances ?? (isAlone ? [[10]] : undefined);
  return {
    schema: 'bootmem/numa',
    version: 1,
    source: input.source,
    nodes,
    ...(distances === undefined ? {} : { distances }),
    free: booted === undefined ? 'zoneinfo' : 'boot',
  };
}
