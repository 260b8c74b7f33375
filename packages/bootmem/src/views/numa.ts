/** The machine's nodes, as `numactl --hardware` shows them. */
import { MemFlags } from '@bootmem/memblock';
import { handover } from '../accounts/handover.js';
import type { LoadedMachine } from '../input/types.js';
import { planLayout } from '../plan/layout-plan.js';
import type { NumaView } from '../view-result.js';

/**
 * @param input  a loaded machine
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the description
 */
export function numaView(input: LoadedMachine): NumaView {
  const plan = planLayout(input.description);
  const { proc, numa, cpus } = input.description;
  const zones = (proc.zoneinfo ?? []).filter(({ free }) => free !== undefined);
  const booted = zones.length > 0 ? undefined : handover(plan).memblock;
  const freeOf = (nid: number): number =>
    booted === undefined
      ? zones.reduce((sum, zone) => (zone.nid === nid ? sum + zone.free! : sum), 0) * plan.pageSize
      : [...booted.freeRanges({ flags: MemFlags.NONE })].reduce(
          (sum, { start, end, nid: own }) => (own === nid ? sum + end - start : sum),
          0,
        );
  const isAlone = plan.layout.nodes.length === 1;
  const cpusOf = (nid: number): number[] => {
    const known = proc.nodes?.find((node) => node.nid === nid)?.cpus;
    if (known !== undefined) return [...known];
    // The SRAT lists processors in the order in which the kernel numbers them.
    const affine = numa.cpus.flatMap((cpu, index) => (cpu.nid === nid ? [index] : []));
    if (numa.cpus.length > 0 || !isAlone) return affine;
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
