/** A recorded boot as input: memory and options only, nothing the kernel computed from them. */
import {
  pfnRangesOf,
  profileForRelease,
  x86ZoneLimits,
  zoneLayout,
} from '@bootmem/buddy-allocator/zones';
import type {
  CoreSize,
  KernelProfile,
  MovablePolicy,
  NumaTopology,
  ZoneLayout,
} from '@bootmem/buddy-allocator/zones';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { BootRecord, MemblockSnapshot } from '@bootmem-tools/oracle';

/** Bits of a memblock region's flags. */
const HOTPLUG = 1;
const MIRROR = 2;

/** What the checks work on. */
export interface Machine {
  readonly boot: BootRecord;
  readonly profile: KernelProfile;
  readonly memory: readonly MemoryPfnRange[];
  readonly layout: ZoneLayout;
  readonly topology: NumaTopology;
  /** The topology when the first zonelists are made: no CPU is attached to its node yet. */
  readonly bootTopology: NumaTopology;
}

function coreSize(value: string | undefined): CoreSize | undefined {
  const found = /^(\d+)([KMGT%]?)$/i.exec(value ?? '');
  if (found === null) return undefined;
  const amount = Number(found[1]);
  if (found[2] === '%') return { percent: amount };
  const shift = 'KMGT'.indexOf(found[2]!.toUpperCase()) + 1;
  return { pages: Math.floor((amount * 1024 ** shift) / 4096) };
}

/** The Movable policy that a kernel command line asks for. */
function movablePolicy(commandLine: string): MovablePolicy {
  const words = commandLine.split(' ');
  const value = (key: string): string | undefined =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  if (words.includes('movable_node')) return { kind: 'node' };
  if (value('kernelcore') === 'mirror') return { kind: 'mirror' };
  const kernelcore = coreSize(value('kernelcore'));
  const movablecore = coreSize(value('movablecore'));
  if (kernelcore === undefined && movablecore === undefined) return { kind: 'none' };
  return {
    kind: 'size',
    ...(kernelcore === undefined ? {} : { kernelcore }),
    ...(movablecore === undefined ? {} : { movablecore }),
  };
}

/** Memory as zones are made of it. */
function memoryOf(memblock: MemblockSnapshot): MemoryPfnRange[] {
  return pfnRangesOf(
    memblock.memory.regions.map(({ base, size, nid, flags }) => ({
      base,
      size,
      nid,
      hotplug: (flags & HOTPLUG) !== 0,
      mirror: (flags & MIRROR) !== 0,
    })),
  );
}

/** Free pages of a memblock state: memory less reserved, whole pages only, with the memory's node. */
export function freeRangesOf(memblock: MemblockSnapshot): MemoryPfnRange[] {
  const free: MemoryPfnRange[] = [];
  const reserved = memblock.reserved.regions;
  for (const { base, size, nid } of memblock.memory.regions) {
    let at = base;
    const add = (end: number): void => {
      const startPfn = Math.ceil(at / 4096);
      const endPfn = Math.floor(end / 4096);
      if (endPfn > startPfn) free.push({ startPfn, endPfn, nid });
    };
    for (const hole of reserved) {
      const end = hole.base + hole.size;
      if (end <= at || hole.base >= base + size) continue;
      if (hole.base > at) add(hole.base);
      at = Math.max(at, end);
    }
    if (at < base + size) add(base + size);
  }
  return free;
}

/** Reads a recorded boot's input. */
export function machineOf(boot: BootRecord): Machine {
  const { kernel, append } = boot.meta();
  const memory = memoryOf(boot.memblock('P3'));
  const maxPfn = memory.at(-1)!.endPfn;
  // A node that only gets memory later is known from then on; before, it is announced without memory.
  const nodes = boot.nodes(boot.has('nodes_added.txt') ? 'added' : undefined);
  const announced = boot
    .dmesg()
    .flatMap((line) => /^Initmem setup node (\d+) /.exec(line)?.[1] ?? [])
    .map(Number);
  const nids = [...new Set([...boot.nodes().map((node) => node.nid), ...announced])].sort(
    (a, b) => a - b,
  );
  const layout = zoneLayout({
    memory,
    limits: x86ZoneLimits(maxPfn),
    movable: movablePolicy(append),
    memorylessNids: nids,
  });
  const topology: NumaTopology = {
    nids,
    distance: (from, to) => {
      const column = nodes.findIndex((node) => node.nid === to);
      return nodes.find((node) => node.nid === from)!.distance[column]!;
    },
    hasMemory: (nid) => memory.some((range) => range.nid === nid),
    hasCpus: (nid) => nodes.find((node) => node.nid === nid)!.cpus.length > 0,
  };
  const bootTopology = { ...topology, hasCpus: () => false };
  return { boot, profile: profileForRelease(kernel), memory, layout, topology, bootTopology };
}
