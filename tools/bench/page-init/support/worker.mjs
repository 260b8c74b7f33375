// Chunk functions of the benchmark for pool threads.
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap } from '@bootmem/memmap';
import { DeferredNode } from '@bootmem/page-init';
import { DeviceInit } from '@bootmem/page-init/device';

/** A sink that only counts: initialisation alone. */
export const NULL_SINK = { freeBlocks: (start, end) => end - start };

const known = new Map();

function nodeOf(arg) {
  let node = known.get(arg.key);
  if (node === undefined) {
    const memmap = Memmap.attach(arg.memmap);
    const sink = arg.allocator === undefined ? NULL_SINK : PageAllocator.attach(arg.allocator);
    node = DeferredNode.attach(arg.node, { memmap, sink, threadId: sink.thread ?? 2 });
    if (known.size > 8) known.clear();
    known.set(arg.key, node);
  }
  return node;
}

/** @param arg {key, memmap, node, allocator?}: handles */
export function initChunk(start, end, arg) {
  return nodeOf(arg).initChunk(start, end);
}

/** Attaches each participating thread to the machine, before anything is timed: all meet at a barrier. */
export function attach(start, end, arg) {
  for (const one of arg.nodes) nodeOf(one);
  const { barrier, threads } = arg;
  Atomics.add(barrier, 0, 1);
  Atomics.notify(barrier, 0);
  const until = performance.now() + 500;
  for (let seen; (seen = Atomics.load(barrier, 0)) < threads && performance.now() < until;) {
    Atomics.wait(barrier, 0, seen, 50);
  }
}

let device;

/** Sub-ranges of a device. @param arg {key, memmap, device}: handles */
export function initDevice(start, end, arg) {
  if (device?.key !== arg.key) {
    const memmap = Memmap.attach(arg.memmap);
    device = { key: arg.key, init: DeviceInit.attach(arg.device, { memmap }) };
  }
  return device.init.initChunk(start, end);
}
