/**
 * What a backend must provide: start a thread, talk to it, know when it ends. Types only; the package
 * imports `#platform` decide between `platform.node.ts` and `platform.browser.ts`.
 */
import type { SetupPlan } from './thread-setup.js';

/** Given to a worker at its start. */
export interface WorkerInit {
  /** 1-based id of the worker. */
  readonly id: number;
  readonly capacity: number;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  readonly idle: 'block' | 'loop';
  /** What it does before it runs functions, and before it ends; undefined = nothing. */
  readonly setup: SetupPlan | undefined;
  /** When it is to be replaced; undefined = never. */
  readonly wear: WearLimits | undefined;
}

/** When a thread is to be replaced. */
export interface WearLimits {
  /** After so many jobs; undefined = never for that. */
  readonly jobs: number | undefined;
  /** When more bytes of its heap are in use. */
  readonly heapBytes: number | undefined;
}

/** How a thread ended. */
export interface WorkerEnd {
  readonly exitCode: number;
  /** Uncaught error, failure to start, or out of memory. */
  readonly error: unknown;
}

/** A running thread as its owner sees it. */
export interface PlatformWorker {
  /** Posts a message. @throws a DataCloneError when the message cannot be cloned */
  post(message: unknown, transfer?: readonly unknown[]): void;
  /** Takes one waiting message without the event loop, `UNREAD` as below; undefined = none, or not possible here. */
  receive(): unknown;
  /** From `ref` to `unref` the thread's messages keep the process alive. */
  ref(): void;
  unref(): void;
  /** Ends the thread at once. */
  terminate(): Promise<void>;
  /** False when the thread is known to be gone although its end was not reported yet. */
  isAlive(): boolean;
  /** Remembers the operating system's name of the thread, for `isAlive`. */
  identify(tid: number): void;
}

/** Makes a thread with these settings, those of `new Worker` on Node. @returns a Worker that nothing else has */
export type ThreadFactory = (settings: {
  name: string;
  execArgv?: string[];
  env?: Record<string, string | undefined>;
  resourceLimits?: Record<string, number>;
}) => unknown;

/** Options that a backend understands. */
export interface PlatformWorkerOptions {
  readonly name: string;
  readonly execArgv: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly resourceLimits: Readonly<Record<string, number>> | undefined;
  /** Makes the thread from the program's own entry (bundles). */
  readonly factory: ThreadFactory | undefined;
  /** `UNREAD` of `values/unread.ts` = there was one, and it could not be read. */
  readonly onMessage: (message: unknown) => void;
  readonly onEnd: (end: WorkerEnd) => void;
}

/** One backend. */
export interface Platform {
  /** CPUs that this process may use. */
  availableParallelism(): number;
  /** May the calling thread block in Atomics.wait? */
  canBlock(): boolean;
  startWorker(init: WorkerInit, options: PlatformWorkerOptions): PlatformWorker;
  /** Lets events be handled, then goes on. */
  yieldToEvents(): Promise<void>;
}
