// What runs in pool threads in the race tests: everything is attached by handle, once a machine.
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap } from '@bootmem/memmap';
import { createZoneGrower, DeferredNode } from '@bootmem/page-init';
import { DeviceInit } from '@bootmem/page-init/device';

let known;

function machineOf(arg) {
  if (known?.key !== arg.key) {
    const memmap = Memmap.attach(arg.memmap);
    const sink = PageAllocator.attach(arg.allocator);
    const attach = { memmap, sink, threadId: sink.thread, verify: true };
    const nodes = arg.nodes.map((handle) => DeferredNode.attach(handle, attach));
    sink.setHooks({ grow: createZoneGrower(nodes) });
    known = { key: arg.key, memmap, sink, nodes };
  }
  return known;
}

/** Chunk of the deferred pass. */
export function initChunk(start, end, arg) {
  const node = machineOf(arg).nodes.find((candidate) => candidate.nid === arg.nid);
  return node.initChunk(start, end);
}

/** Allocates `end - start` pages and keeps them, growing as needed; returns how many it got. */
export function allocate(start, end, arg) {
  const { sink } = machineOf(arg);
  let got = 0;
  for (let i = start; i < end; i++) {
    const pfn = sink.allocPages(0, { migratetype: 1 });
    if (pfn === undefined) continue;
    // Whoever gets a page twice finds the mark of the first owner.
    if (Atomics.add(arg.owners, pfn, 1) !== 0) throw new Error(`page ${pfn} was given out twice`);
    got++;
  }
  return got;
}

/** Nothing but growth. */
export function growOnly(start, end, arg) {
  const { nodes } = machineOf(arg);
  let grown = 0;
  for (let i = start; i < end; i++) for (const node of nodes) if (node.grow(0)) grown++;
  return grown;
}

let device;

/** Chunk of a device's background initialisation. */
export function initDevice(start, end, arg) {
  if (device?.key !== arg.key) {
    device = {
      key: arg.key,
      init: DeviceInit.attach(arg.device, { memmap: Memmap.attach(arg.memmap) }),
    };
  }
  return device.init.initChunk(start, end);
}

/** Grows once, holding the node's lock until a second grower has come; returns whether to try again. */
export function growTogether(start, end, arg) {
  const memmap = Memmap.attach(arg.memmap);
  let node;
  const sink = {
    freeBlocks(from, to) {
      // The other grower comes however long it takes; the bound is for a pool that does not start it at all.
      const until = performance.now() + 60_000;
      const word = new Int32Array(new SharedArrayBuffer(4));
      while (node.counts().growCalls < 2 && performance.now() < until) Atomics.wait(word, 0, 0, 1);
      return to - from;
    },
  };
  node = DeferredNode.attach(arg.nodes[0], { memmap, sink, threadId: 10 + start });
  return node.grow(0) ? 1 : 0;
}
