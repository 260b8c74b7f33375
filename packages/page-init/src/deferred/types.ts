/**
 * What a node's deferred part is made of and what it tells. Types only; all pfns are page frame numbers.
 */
import type { Memmap, PfnRange } from '@bootmem/memmap';
import type { ThreadRegistry } from '@bootmem/memmap/shared';
import type { PageSink } from '../base/types.js';

/** Who works on the node from this thread. */
export interface DeferredAttach {
  readonly memmap: Memmap;
  readonly sink: PageSink;
  /** Lock identity of this thread, 1..32000, unlike every other thread's. */
  readonly threadId: number;
  /** Lets waiters take the lock over from a thread that died, and learn that its section is half done. */
  readonly liveness?: ThreadRegistry;
  /** Check that ranges are untouched before they are initialised; for tests. Default false. */
  readonly verify?: boolean;
}

/** How to create a node's deferred part. */
export interface DeferredNodeOptions extends DeferredAttach {
  readonly nid: number;
  /** memmap's id of the zone that the deferred part lies in. */
  readonly zoneId: number;
  /** Section aligned. */
  readonly firstDeferredPfn: number;
  /** End of the zone. */
  readonly endPfn: number;
  /** Free ranges inside `[firstDeferredPfn, endPfn)`, sorted, disjoint. */
  readonly ranges: readonly PfnRange[];
  /** `until-done` (default): growth goes on while the pass runs; `until-pass`: the kernel's rule. */
  readonly growth?: 'until-done' | 'until-pass';
  /** `section` (default, 6.18): stops at section borders; `free-page`: at the next free page (to 6.17). */
  readonly growthStop?: 'section' | 'free-page';
}

/** What another thread needs; survives `postMessage` unless the buffer is local. */
export interface DeferredNodeHandle {
  readonly type: 'bootmem.deferred-node';
  readonly buffer: ArrayBufferLike;
}

/** Counters of a node's deferred part. */
export interface DeferredCounts {
  /** Pages initialised and handed over, growth included. */
  readonly pages: number;
  readonly chunks: number;
  readonly sections: number;
  readonly sectionsDone: number;
  readonly grownPages: number;
  readonly growCalls: number;
  /** Growers that found that somebody else had just grown. */
  readonly growWaits: number;
  /** Descriptor and pageblock bytes written. */
  readonly bytes: number;
}
