// Chunk function of the deferred pass for work-pool threads: attaches everything by handle, once a machine.
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap } from '@bootmem/memmap';
import { DeferredNode } from '@bootmem/page-init';

const machines = new Map();

/** @param arg {key, memmap, allocator, node}: handles; key names the machine and node */
export function initChunk(start, end, arg) {
  let node = machines.get(arg.key);
  if (node === undefined) {
    const memmap = Memmap.attach(arg.memmap);
    const sink = PageAllocator.attach(arg.allocator);
    node = DeferredNode.attach(arg.node, { memmap, sink, threadId: sink.thread, verify: true });
    machines.clear();
    machines.set(arg.key, node);
  }
  return node.initChunk(start, end);
}
