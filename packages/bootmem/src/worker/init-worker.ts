/**
 * What runs inside padata's threads: attaches descriptors, allocator, acceptance and the node's deferred
 * part by handle, once a boot and thread, and initialises chunks.
 *
 * ```
 * padata ─ initChunk(start, end, arg) ─▶ DeferredNode ─▶ Memmap (fill) ─▶ PageAllocator (free blocks)
 *                                                                            └▶ ZoneAcceptor (hold back)
 * ```
 * Locks: none here. What is attached belongs to this thread and lives as long as the thread; a pool
 * belongs to one machine, so that is as long as the machine.
 */
import { threadId } from 'node:worker_threads';
import { PageAllocator } from '@bootmem/buddy-allocator';
import type { PageAllocatorHandle } from '@bootmem/buddy-allocator';
import { DeferredNode } from '@bootmem/page-init';
import type { DeferredNodeHandle } from '@bootmem/page-init';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import type { UnacceptedMemoryHandle, ZoneAcceptorHandle } from '@bootmem/unaccepted-memory';
import { ChunkLog, sharedNow } from './chunk-log.js';

/** What a thread needs; survives `postMessage`. */
export interface ChunkArg {
  /** Names the boot: everything is attached once for it. */
  readonly boot: string;
  readonly nid: number;
  readonly allocator: PageAllocatorHandle;
  readonly node: DeferredNodeHandle;
  readonly log: ArrayBufferLike;
  readonly unaccepted?: {
    readonly memory: UnacceptedMemoryHandle;
    readonly acceptor: ZoneAcceptorHandle;
  };
}

/** One thread's view of a machine. */
interface Attached {
  readonly allocator: PageAllocator;
  readonly log: ChunkLog;
  readonly nodes: Map<number, DeferredNode>;
}

const machines = new Map<string, Attached>();

/**
 * Makes the calling thread's own objects known, so that it does not attach a second time.
 * @param boot       name of the boot
 * @param allocator  this thread's allocator
 * @param nodes      this thread's deferred nodes
 * @param log        memory of the chunk list
 */
export function adopt(
  boot: string,
  allocator: PageAllocator,
  nodes: readonly DeferredNode[],
  log: ArrayBufferLike,
): void {
  machines.set(boot, {
    allocator,
    log: new ChunkLog(log),
    nodes: new Map(nodes.map((node) => [node.nid, node])),
  });
}

/** Forgets a boot. */
export function release(boot: string): void {
  machines.delete(boot);
}

function attach(arg: ChunkArg): Attached {
  const known = machines.get(arg.boot);
  if (known !== undefined) return known;
  const allocator = PageAllocator.attach(arg.allocator);
  if (arg.unaccepted !== undefined) {
    const memory = UnacceptedMemory.attach(arg.unaccepted.memory);
    allocator.setHooks({
      accept: new ZoneAcceptor(memory, allocator, {}, arg.unaccepted.acceptor),
    });
  }
  const attached: Attached = { allocator, log: new ChunkLog(arg.log), nodes: new Map() };
  machines.set(arg.boot, attached);
  return attached;
}

/**
 * Initialises and hands over the free memory of a chunk.
 * @param start  first page frame, section aligned (the first chunk of a job may not be)
 * @param end    page frame after the last, section aligned
 * @param arg    what to attach
 * @returns pages that this call initialised
 * @kernel deferred_init_memmap_chunk
 */
export function initChunk(start: number, end: number, arg: ChunkArg): number {
  const machine = attach(arg);
  let node = machine.nodes.get(arg.nid);
  if (node === undefined) {
    const { allocator } = machine;
    node = DeferredNode.attach(arg.node, {
      memmap: allocator.memmap,
      sink: allocator,
      threadId: allocator.thread,
      liveness: allocator.registry,
    });
    machine.nodes.set(arg.nid, node);
  }
  const startMs = sharedNow();
  const pages = node.initChunk(start, end);
  machine.log.add({
    thread: threadId,
    nid: arg.nid,
    startPfn: start,
    endPfn: end,
    startMs,
    endMs: sharedNow(),
  });
  return pages;
}
