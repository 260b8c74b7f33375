/** Messages between the owner and a worker thread. Control only: chunks and slots go through shared words. */
import type { ErrorRecord } from '../base/error-record.js';
import type { PartMemory } from './arena-parts.js';

/** What a job has written to its standard streams. */
export interface JobOutput {
  readonly stdout: string;
  readonly stderr: string;
  /** There was more than is kept of both together. */
  readonly truncated: boolean;
}

/** A job whose input goes by message to one worker. */
export type SentJob = readonly [sequence: number, input: unknown];

/** From the owner to a worker. */
export type ToWorker =
  /** Import a function now and answer `loaded`. */
  | {
      readonly t: 'load';
      readonly id: number;
      readonly href: string;
      readonly name: string;
      /** Milliseconds for which a thread imports this module by itself, as one has ended doing so; 0 = none has. */
      readonly aloneMs: number;
    }
  /** A range job that lanes will name by `job`. */
  | {
      readonly t: 'job';
      readonly job: number;
      readonly href: string;
      readonly name: string;
      readonly aloneMs: number;
      readonly arg: unknown;
      readonly wantValues: boolean;
      /** Its argument could not be read. */
      readonly unread?: true;
    }
  | { readonly t: 'drop'; readonly job: number }
  /** A ring whose jobs this worker may run. */
  | {
      readonly t: 'ring';
      readonly ring: number;
      readonly href: string;
      readonly name: string;
      readonly aloneMs: number;
      readonly buffer: SharedArrayBuffer;
      readonly window: number;
      readonly arenaBytes: number;
      /** What its arena has grown by. */
      readonly parts: readonly PartMemory[];
      readonly stats: Int32Array;
      readonly shared: unknown;
      /** The owner's performance.timeOrigin, in milliseconds. */
      readonly timeOrigin: number;
      readonly threads: number;
      /** Promises of this ring that may be pending on one thread. */
      readonly pendingPerThread: number;
      readonly copyInput: boolean;
      /** Bytes that are kept of what each job writes; 0 = it is not captured. */
      readonly outputBytes: number;
      /** Its level of priority, see `levels/levels.ts`. */
      readonly level: number;
      /** What is shared could not be read. */
      readonly unread?: true;
    }
  /** A ring's arena has grown; jobs that use this part are offered after it was told to all. */
  | { readonly t: 'part'; readonly ring: number; readonly part: PartMemory }
  | { readonly t: 'dropRing'; readonly ring: number }
  /** Jobs whose inputs do not fit a slot. */
  | {
      readonly t: 'inputs';
      readonly ring: number;
      readonly jobs: readonly SentJob[];
      /** At this one of them the owner is told, if it has more to send; -1 = at none. */
      readonly ask: number;
      /** They could not be read. */
      readonly unread?: true;
    }
  /** A pending job was settled without its function: wait for it no longer. */
  | { readonly t: 'abandon'; readonly ring: number; readonly seq: number }
  /** Finish what is at hand, take nothing new, end; `ifIdle`: only if no promise is pending, else answer `stays`. */
  | { readonly t: 'leave'; readonly ifIdle: boolean };

/** From a worker to the owner. */
export type FromWorker =
  /** The thread runs; `tid` names it for the operating system, 0 = unknown. */
  | { readonly t: 'hello'; readonly tid: number }
  /** The thread is set up, or could not be. */
  | { readonly t: 'setUp'; readonly error?: ErrorRecord }
  /** What was set up is torn down from here on; that has failed; that has ended well. */
  | { readonly t: 'tearDown'; readonly error?: ErrorRecord }
  | { readonly t: 'tornDown' }
  /** The thread has run so many jobs, or its heap has grown so much, that it is to be replaced. */
  | { readonly t: 'worn' }
  /** The import of a module begins, `alone`: as that of a suspect; and has ended, well or not. */
  | { readonly t: 'importing'; readonly href: string; readonly alone: boolean }
  | { readonly t: 'imported'; readonly href: string }
  | { readonly t: 'loaded'; readonly id: number; readonly error?: ErrorRecord }
  /** A range job's function could not be loaded here. */
  | { readonly t: 'jobError'; readonly job: number; readonly error: ErrorRecord }
  /** Value of a chunk that does not fit a number. */
  | {
      readonly t: 'value';
      readonly lane: number;
      readonly gate: number;
      readonly index: number;
      readonly value: unknown;
      /** It is encoded, see `values/chunk-values.ts`. */
      readonly isPlain: boolean;
    }
  | {
      readonly t: 'fail';
      readonly lane: number;
      readonly gate: number;
      readonly index: number;
      readonly error: ErrorRecord;
    }
  /** Result of a job that does not fit its slot. */
  | { readonly t: 'result'; readonly ring: number; readonly seq: number; readonly value: unknown }
  /** How far a job is; before its outcome, which then comes by message too. */
  | { readonly t: 'progress'; readonly ring: number; readonly seq: number; readonly value: unknown }
  /** What a job has written; the same. */
  | {
      readonly t: 'output';
      readonly ring: number;
      readonly seq: number;
      readonly output: JobOutput;
    }
  | {
      readonly t: 'jobFailed';
      readonly ring: number;
      readonly seq: number;
      readonly worker: number;
      readonly error: ErrorRecord;
    }
  /** A job's completion will come from elsewhere. */
  | { readonly t: 'deferred'; readonly ring: number }
  /** The function of an abandoned job has ended after all: its bytes are free. */
  | { readonly t: 'ended'; readonly ring: number; readonly seq: number }
  /** Answers `dropRing`: this thread looks at the ring no more. */
  | { readonly t: 'dropped'; readonly ring: number }
  /** A ring's function could not be loaded here. */
  | { readonly t: 'ringError'; readonly ring: number; readonly error: ErrorRecord }
  /** This thread is idle, and inputs of the ring wait behind a job of another. */
  | { readonly t: 'idle'; readonly ring: number }
  /** It was asked to leave if it had nothing to do, and goes on. */
  | { readonly t: 'stays' }
  /** Something is to be delivered. */
  | { readonly t: 'wake' }
  /** Sent when the owner waits in its event loop for a lane to empty. */
  | { readonly t: 'left'; readonly lane: number };
