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
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import type { PageAllocatorHandle } from '@bootmem/buddy-allocator/machine';
import { currentWorker } from '@bootmem/padata/worker';
import { DeferredNode } from '@bootmem/page-init';
import { DeviceInit } from '@bootmem/page-init/device';
import type { DeferredNodeHandle } from '@bootmem/page-init';
import type { DeviceInitHandle } from '@bootmem/page-init/device';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import type { UnacceptedMemoryHandle, ZoneAcceptorHandle } from '@bootmem/unaccepted-memory';
import { ChunkLog, sharedNow } from './chunk-log.js';
import { ThreadTable } from './thread-table.js';

/** A machine by handle; survives `postMessage`. */
export interface MachineHandle {
  /** Names the boot: everything is attached once for it. */
  readonly boot: string;
  readonly allocator: PageAllocatorHandle;
  /** Deferred parts by node. */
  readonly nodes: readonly { readonly nid: number; readonly node: DeferredNodeHandle }[];
  readonly log: ArrayBufferLike;
  /** Memory of the {@link ThreadTable}. */
  readonly threads: ArrayBufferLike;
  readonly unaccepted?: {
    readonly memory: UnacceptedMemoryHandle;
    readonly acceptor: ZoneAcceptorHandle;
  };
}

/** What a chunk needs. */
export interface ChunkArg {
  readonly machine: MachineHandle;
  readonly nid: number;
}

/** What the attach job needs: a word that counts the threads that are ready, and how many to wait for. */
export interface AttachArg {
  readonly machine: MachineHandle;
  readonly ready: Int32Array;
  readonly threads: number;
}

/** One thread's view of a machine. */
interface Attached {
  readonly allocator: PageAllocator;
  /** True in the thread that booted: its objects were there before. */
  readonly own: boolean;
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
    own: true,
    log: new ChunkLog(log),
    nodes: new Map(nodes.map((node) => [node.nid, node])),
  });
}

/** Forgets a boot. */
export function release(boot: string): void {
  machines.delete(boot);
}

function attach(handle: MachineHandle): Attached {
  const known = machines.get(handle.boot);
  if (known !== undefined) return known;
  const allocator = PageAllocator.attach(handle.allocator);
  new ThreadTable(handle.threads).enter(currentWorker(), allocator.thread);
  if (handle.unaccepted !== undefined) {
    const memory = UnacceptedMemory.attach(handle.unaccepted.memory);
    allocator.setHooks({
      accept: ZoneAcceptor.attach(handle.unaccepted.acceptor, { memory, port: allocator }),
    });
  }
  const nodes = handle.nodes.map(({ nid, node }): [number, DeferredNode] => [
    nid,
    DeferredNode.attach(node, {
      memmap: allocator.memmap,
      sink: allocator,
      threadId: allocator.thread,
      liveness: allocator.registry,
    }),
  ]);
  const attached: Attached = {
    allocator,
    own: false,
    log: new ChunkLog(handle.log),
    nodes: new Map(nodes),
  };
  machines.set(handle.boot, attached);
  return attached;
}

/** How long the calling thread's unit of the attach job leaves the other units to the threads. */
const ATTACH_LIMIT_MS = 200;

/**
 * Attaches a thread ahead of the work. The calling thread has nothing to attach: its unit only keeps it from
 * taking those that are meant for the others, without blocking it.
 * @param _start  unit
 * @param _end    unit after it
 * @param arg     the machine, and where to count
 */
export function attachThread(_start: number, _end: number, arg: AttachArg): void | Promise<void> {
  if (!attach(arg.machine).own) {
    // Pairs with the loads in `untilReady`.
    Atomics.add(arg.ready, 0, 1);
    return undefined;
  }
  return untilReady(arg);
}

async function untilReady(arg: AttachArg): Promise<void> {
  const limit = performance.now() + ATTACH_LIMIT_MS;
  while (Atomics.load(arg.ready, 0) < arg.threads - 1 && performance.now() < limit) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 0);
    });
  }
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
  const { allocator, log, nodes } = attach(arg.machine);
  const startMs = sharedNow();
  const pages = nodes.get(arg.nid)?.initChunk(start, end) ?? 0;
  log.add({
    thread: allocator.thread,
    nid: arg.nid,
    startPfn: start,
    endPfn: end,
    startMs,
    endMs: sharedNow(),
  });
  return pages;
}

/** Jobs of one thread each. */
export interface LoneArg {
  readonly machine: MachineHandle;
  /** Page frames. */
  readonly jobs: readonly { readonly nid: number; readonly start: number; readonly size: number }[];
}

/** Who did a job, and how long it took. */
export interface LoneShare {
  /** Into the jobs. */
  readonly index: number;
  /** 0 is the caller. */
  readonly worker: number;
  readonly ms: number;
}

/**
 * Does whole jobs.
 * @param start  index of the first
 * @param end    index after the last
 * @param arg    the jobs, and what to attach
 * @kernel deferred_init_memmap
 */
export function initLone(start: number, end: number, { machine, jobs }: LoneArg): LoneShare[] {
  return jobs.slice(start, end).map((job, i) => {
    const began = performance.now();
    initChunk(job.start, job.start + job.size, { machine, nid: job.nid });
    return { index: start + i, worker: currentWorker(), ms: performance.now() - began };
  });
}

/** What a thread needs to initialise device memory. */
export interface DeviceArg {
  readonly machine: MachineHandle;
  readonly init: DeviceInitHandle;
}

/** One attachment a job and thread: the argument arrives once for each. */
const devices = new WeakMap<DeviceArg, DeviceInit>();

/**
 * Initialises a chunk of a device's pages.
 * @param start  first page frame
 * @param end    page frame after the last
 * @param arg    what to attach
 * @kernel memmap_init_zone_device
 */
export function initDeviceChunk(start: number, end: number, arg: DeviceArg): void {
  let init = devices.get(arg);
  if (init === undefined) {
    const { allocator } = attach(arg.machine);
    init = DeviceInit.attach(arg.init, {
      memmap: allocator.memmap,
      owner: {
        threadId: allocator.thread,
        liveness: allocator.registry,
      },
    });
    devices.set(arg, init);
  }
  init.initChunk(start, end);
}
