/** A worker thread as its owner keeps it, from its start to its end, and the memory that both look into. */
import { performance } from '../base/host-time.js';
import type { FromWorker } from '../protocol/messages.js';
import { Readings } from '../values/unread.js';
import type { PlatformWorker } from './platform.js';

/** The pool's control block. */
export interface Control {
  /** Worker threads that fit. */
  readonly capacity: number;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
}

/** One thread, from start to end. */
export interface Member {
  readonly id: number;
  readonly platform: PlatformWorker;
  /** What the operating system calls the thread; 0 = it has not said yet, or does not know. */
  tid: number;
  /** It has said hello: its loop turns. */
  isThere: boolean;
  /** What its messages are. */
  readonly readings: Readings<FromWorker>;
  /** Range jobs this thread was told about. */
  readonly jobs: Set<number>;
  /** Modules that it imports at the moment, and whether each as a suspect. */
  readonly importing: Map<string, boolean>;
  /** It has imported something: from then on jobs may run on it. */
  used: boolean;
  /** It was told of the rings that there are: from then on it hears of each as it comes, and may be sent inputs. */
  knowsRings: boolean;
  /** It is there to import a suspect and end. */
  readonly isProof: boolean;
  /** Its owner has ended it. */
  killed: boolean;
  /** It was asked to leave if it has nothing to do, and has not answered. */
  mayStay: boolean;
  /** When it was started, on this thread's clock. */
  readonly since: number;
  /** It could not be set up. */
  failed: boolean;
  state: 'starting' | 'settingUp' | 'ready' | 'leaving' | 'dead';
}

/** One whose thread is being started. */
export function newMember(id: number, platform: PlatformWorker, isProof: boolean): Member {
  return {
    id,
    platform,
    tid: 0,
    isThere: false,
    readings: new Readings(),
    jobs: new Set(),
    importing: new Map(),
    used: false,
    knowsRings: false,
    isProof,
    killed: false,
    mayStay: false,
    since: performance.now(),
    failed: false,
    state: isProof ? 'leaving' : 'starting',
  };
}
