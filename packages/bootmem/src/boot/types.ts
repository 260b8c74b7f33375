/**
 * Options and events of a boot.
 */
import type { AcceptMode, InitMode } from '../result.js';
import type { NodeBinding } from './threads.js';

/** What a boot tells while it runs. */
export type BootEvent =
  | {
      /** A kernel-like log line with our own time stamp. */
      readonly kind: 'log';
      readonly line: string;
      readonly ms: number;
    }
  | {
      /** How many page descriptors are ready, of how many. */
      readonly kind: 'pages';
      readonly done: number;
      readonly total: number;
    }
  | {
      /** A phase began. */
      readonly kind: 'phase';
      readonly phase: 'layout' | 'early' | 'first-allocation' | 'deferred' | 'device' | 'done';
      readonly ms: number;
    };

/** How a machine is brought up. */
export interface BootOptions {
  /** Threads that initialise, the caller included; 1 … 255. Default 2. */
  readonly threads?: number;
  /**
   * Threads of one node's deferred part at most: a number, or `architecture`: what the machine's kernel would start
   * there. Default: all of `threads`.
   */
  readonly perNode?: number | 'architecture';
  /**
   * Threads belong to nodes of this host, and each node's part is initialised by threads of one of them (of several, where
   * the host has more); the calling thread takes part everywhere, and a node with one thread (`perNode`) is whoever's is
   * free. Default: any thread works for any node.
   */
  readonly binding?: NodeBinding;
  /** Default `deferred`. */
  readonly mode?: InitMode;
  /** Default: what the log's `accept_memory=` says, else `lazy`. */
  readonly accept?: AcceptMode;
  /** Kernel release to follow: `MAJOR.MINOR` or `latest`; `auto` (default) takes the log's. */
  readonly profile?: string;
  /** Makes a thread from the program's own bundle; default padata's own worker. */
  readonly worker?: () => unknown;
  /** Name under which threads provide the exports of `bootmem/init-worker`; default its URL. */
  readonly workerModule?: string;
  /** Name of the input, for the report. */
  readonly source?: string;
  /** Remarks of whoever read the input; repeated in the report. */
  readonly notes?: readonly string[];
  /**
   * Memory that the boot may touch for page descriptors, bytes (2.1 a page); a machine that would take more is brought up to
   * its first allocation and the rest predicted. Default: as much as it takes.
   */
  readonly limitBytes?: number;
  /** Ends the boot: threads are stopped, the promise rejects with ERR_BOOTMEM_ABORTED. */
  readonly signal?: AbortSignal;
  /** Receives events on the calling thread; must not throw. */
  readonly onProgress?: (event: BootEvent) => void;
}
