/**
 * Settings, counters and handle of a zone acceptor. Types, and the counters' names in the order of their words.
 */
import type { Pacer } from '../background/pacer.js';
import type { UnacceptedMemory } from '../memory/unaccepted-memory.js';
import type { AcceptPort } from './zone-port.js';

/** When memory is accepted. @kernel accept_memory= */
export type AcceptMode = 'lazy' | 'eager';

/** Counters over all threads. */
export type ZoneAcceptCounter =
  | 'acceptedBlocks'
  | 'acceptedAtHandOver'
  | 'helped'
  | 'withheld'
  | 'zeroMarkAccepts'
  | 'highOrderAccepts';

/** The counters in the order of their words. */
export const ZONE_COUNTERS: readonly ZoneAcceptCounter[] = [
  'acceptedBlocks',
  'acceptedAtHandOver',
  'helped',
  'withheld',
  'zeroMarkAccepts',
  'highOrderAccepts',
];

/** What one thread brings along. */
export interface ZoneAcceptorAttach {
  /** This thread's view of the accept state. */
  readonly memory: UnacceptedMemory;
  /** This thread's allocator. */
  readonly port: AcceptPort;
}

/** Rules that all threads share. */
export interface ZonePolicy {
  /** Default 'lazy'. */
  readonly mode?: AcceptMode;
  /** Order of the blocks that are parked; default 10 (1024 pages). */
  readonly maxOrder?: number;
  /** log2 of the page size in bytes; default 12. */
  readonly pageShift?: number;
  /** Accept one block when a request of order > 0 fails with enough accepted; default true. The kernel does not. */
  readonly highOrderRule?: boolean;
  /**
   * Blocks that one allocation accepts at most to reach the promo mark while accepted memory can serve it;
   * default unlimited, as the kernel: then the first allocation after the marks are set pays for all of it.
   */
  readonly burst?: number;
  /** 'demand' (default): with marks at zero accept only what cannot be served. 'always': one block at every question, as the kernel. */
  readonly zeroMarks?: 'demand' | 'always';
}

/** How to create a zone acceptor. */
export interface ZoneAcceptorOptions extends ZoneAcceptorAttach, ZonePolicy {}

/** What became of the block that a thread had in flight when it ended: the allocator has it, or nobody may use it. */
export type RecoveredBlock = 'nothing' | 'freed' | 'withheld';

/** How the background helper of zones works. */
export interface ZoneHelperOptions {
  /** Accepted free pages to keep beyond the promo mark. */
  readonly reservePages: number;
  /** Steps, pace and the stop signal. */
  readonly pacer: Pacer;
}

/** Names the shared part for another thread; survives `postMessage`. */
export interface ZoneAcceptorHandle {
  readonly type: 'bootmem.zone-acceptor';
  /** The rules; the same in all threads. */
  readonly policy: Required<ZonePolicy>;
  /** Blocks in flight. */
  readonly inFlight: ArrayBufferLike;
  /** Counters. */
  readonly counters: ArrayBufferLike;
}
