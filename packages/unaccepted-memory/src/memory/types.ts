/**
 * What goes into an accept state and what comes out of it. Types only; addresses and sizes are bytes.
 */
import type { ThreadRegistryHandle } from '@bootmem/memmap/shared';
import type { AcceptBackend, BackendHandle, BackendOpeners } from '../backends/backend.js';
import type { ByteRange } from '../table/table.js';

/** What is known about a unit. */
export type UnitState =
  /** Usable, and private to the guest. */
  | 'accepted'
  /** Nobody is preparing it (some of its cells may be done already). */
  | 'unaccepted'
  /** A live thread is inside it. */
  | 'accepting'
  /** A thread died or failed inside it; it is not known how far it got. */
  | 'interrupted'
  /** Usable, and the host may read and write it; nobody accepts it. */
  | 'shared'
  /** A live thread is making it shared, or private again. */
  | 'converting';

/** What one request did. */
export interface AcceptOutcome {
  /** Cells this thread prepared. */
  readonly cells: number;
  /** Calls of the backend. */
  readonly calls: number;
  /** Units that this thread found claimed by another one and had to wait for. */
  readonly waited: number;
}

/** How to create the shared state. */
export interface UnacceptedMemoryOptions {
  /** Unaccepted ranges of the memory map, in bytes, page aligned; may be empty. */
  readonly ranges: readonly ByteRange[];
  /** What makes memory usable. */
  readonly backend: AcceptBackend;
  /** Bytes of a unit, a power of two of at least 4096; default 2 MiB. Ignored when a table is installed. */
  readonly unitSize?: number;
  /**
   * A table left by an earlier stage, of version 1. What it covers is as it says, whatever `ranges` names there; what
   * `ranges` names outside of it is accepted at once.
   */
  readonly installed?: Uint8Array;
  /**
   * Marks what `ranges` names inside the installed table as unaccepted again, as the kernel's boot stub does; default
   * false. Right only where the earlier stage accepted nothing: what it accepted is accepted twice.
   */
  readonly remark?: boolean;
  /** Also accept the unit after a request that ends on a unit boundary; default true. False for plain arenas. */
  readonly guard?: boolean;
  /** Kernel release whose rules apply, as `uname -r` prints it; default the newest. */
  readonly release?: string | undefined;
  /** 'exact' (default): `containsUnaccepted` tests every unit. 'kernel': it may miss the last one after an unaligned start. */
  readonly walk?: 'exact' | 'kernel';
  /** Threads that may hold a slot at the same time, 1 .. 32000; default 64. */
  readonly participants?: number;
  /** Milliseconds that a caller waits for another one's unit before ERR_ACCEPT_TIMEOUT; default 60 000. */
  readonly waitLimitMs?: number;
}

/** Names the shared state for another thread; survives `postMessage`. */
export interface UnacceptedMemoryHandle {
  readonly type: 'bootmem.unaccepted-memory';
  /** The shared words. */
  readonly buffer: ArrayBufferLike;
  /** Who takes part. */
  readonly threads: ThreadRegistryHandle;
  /** The backend that goes with it. */
  readonly backend: BackendHandle;
}

/** How to attach. */
export interface AttachOptions {
  /** A slot reserved by the creator for this thread; default: take a free one when first needed. */
  readonly participant?: number;
  /** Use this backend in place of the one that the handle names. */
  readonly backend?: AcceptBackend;
  /** Kinds of backends besides the built-in ones. */
  readonly openers?: BackendOpeners;
}

/** A run of units in one state, as addresses in bytes. */
export interface StateRun extends ByteRange {
  /** The state that all its units are in. */
  readonly state: UnitState;
}

/** What the next stage gets. */
export interface HandOver {
  /** What it must accept before it uses it; the form of `installed`. */
  readonly table: Uint8Array;
  /** Addresses that it must not use: nobody knows whether they are accepted, and the platform may not be asked twice. */
  readonly inDoubt: readonly ByteRange[];
}
