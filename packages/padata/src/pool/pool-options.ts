/** Options of a pool: their names, ranges and defaults, and what is made of them before any thread is started. */
import { platform } from '#platform';
import { PadataError, checkInteger } from '../base/errors.js';
import { moduleHref } from '../base/function-ref.js';
import type { FunctionRef } from '../base/function-ref.js';
import { checkChoice, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import type { Control } from '../threads/member.js';
import type { ThreadBounds } from '../crew/elastic-threads.js';
import type { ThreadFactory, WearLimits } from '../threads/platform.js';
import type { SetupOptions } from '../threads/setup-watch.js';
import type { ThreadOptions } from '../threads/thread-maker.js';
import {
  CONTROL_MAGIC,
  CONTROL_VERSION,
  HEAD,
  MAX_THREADS,
  controlLayout,
} from '../protocol/control-layout.js';
import { notice } from './notice.js';
import { threadBounds } from './thread-range.js';
import type { ThreadRange } from './thread-range.js';

/** How a pool is made. */
export interface WorkPoolOptions {
  /**
   * Worker threads, 0..255; default: CPUs available to the process. 0 = inline. Or bounds: threads come when jobs wait and
   * none has nothing to do, and go after `idleMs` without anything to do.
   */
  readonly threads?: number | ThreadRange;
  /** Works: how many threads' worth of jobs may be out at a time; default: number of threads, at most. */
  readonly works?: number;
  /** Prefix of thread names. */
  readonly name?: string;
  /** 'inline' runs everything in the calling thread, without shared memory. Default 'threads'. */
  readonly backend?: 'threads' | 'inline';
  /** Arguments of the workers' Node; default: those of the host that a worker accepts. */
  readonly execArgv?: readonly string[];
  /** Environment of the workers; default: the host's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** V8 limits per worker thread, in MiB, as in worker_threads. */
  readonly resourceLimits?: Readonly<Record<string, number>>;
  /** How long an idle worker spins before it sleeps: microseconds, or 'auto' (adapts). */
  readonly spin?: 'auto' | number;
  /** 'block': an idle worker's event loop stands still (cheapest). 'loop': it runs. Default 'block'. */
  readonly idle?: 'block' | 'loop';
  /** Node of each worker thread, for node-aware jobs; default: all on node 0. */
  readonly nodes?: readonly number[];
  /** Most threads that `resize` may ask for; default: `threads` or its `max`, at least 8. */
  readonly capacity?: number;
  /**
   * How long an import of a job module in the calling thread may take where a call needs it, in milliseconds, 1 ..
   * 2^31 - 1; default 10 000.
   */
  readonly loadTimeoutMs?: number;
  /**
   * Makes a thread from the program's own file, which calls `startWorker`; for bundles. On Node it is given what the
   * options above say of threads: `(options) => new Worker(file, options)`.
   */
  readonly worker?: ThreadFactory;
  /**
   * Called once on each thread before it runs functions, `(arg, { worker }) => local`, and awaited: what it gives is
   * `ctx.local` of jobs, and the last argument of chunk functions. On the calling thread too (worker 0), before it runs one.
   */
  readonly setup?: FunctionRef;
  /**
   * Called on each thread that was set up before it ends, `(local, { worker }) => void`, and awaited: at `close`, `resize`, when a
   * thread is replaced. Not on a thread that is ended by force, crashes or exits.
   */
  readonly teardown?: FunctionRef;
  /** First argument of `setup`, cloned now and for each thread. */
  readonly setupArg?: unknown;
  /** How long `setup` may take on a thread, import included, in milliseconds, 1 .. 2^31 - 1; default 30 000. */
  readonly setupTimeoutMs?: number;
  /** The same of `teardown`; default 5000. The thread is ended then. */
  readonly teardownTimeoutMs?: number;
  /**
   * Replaces a thread, between jobs and one at a time, when it has run `jobs` jobs of series and of `run`, 1 .. 2^31 - 1; or
   * when more than `heapBytes` of its own JavaScript heap have been in use for a while (Node; elsewhere it is not known). That is when
   * it is due: it goes on until the owner has heard of it and no other is being replaced, and takes no more from when it is told.
   */
  readonly recycle?: { readonly jobs?: number; readonly heapBytes?: number };
}

const POOL_OPTIONS: OptionKinds<WorkPoolOptions> = {
  threads: 'anything',
  works: 'a number',
  name: 'a text',
  backend: 'a text',
  execArgv: 'a list',
  env: 'an object',
  resourceLimits: 'an object',
  spin: 'anything',
  idle: 'a text',
  nodes: 'a list',
  capacity: 'a number',
  loadTimeoutMs: 'a number',
  worker: 'a function',
  setup: 'anything',
  teardown: 'anything',
  setupArg: 'anything',
  setupTimeoutMs: 'a number',
  teardownTimeoutMs: 'a number',
  recycle: 'an object',
};
const RECYCLE_OPTIONS: OptionKinds<NonNullable<WorkPoolOptions['recycle']>> = {
  jobs: 'a number',
  heapBytes: 'a number',
};

const LOAD_TIMEOUT_MS = 10_000;
const SETUP_TIMEOUT_MS = 30_000;
const TEARDOWN_TIMEOUT_MS = 5000;
const MAX_NODE = 1023;
const LEAST_CAPACITY = 8;

/** What the options ask for. */
export interface PoolPlan {
  /** All runs on the calling thread, without shared memory. */
  readonly inline: boolean;
  readonly bounds: ThreadBounds;
  readonly capacity: number;
  /** Microseconds that an idle worker may spin; -1 = it adapts. */
  readonly spinUs: number;
  /** Its threads and their owner are more than the processors. */
  readonly isCrowded: boolean;
  /** Node of each worker thread; missing = 0. */
  readonly nodes: readonly number[];
  readonly loadTimeoutMs: number;
  readonly setup: SetupOptions | undefined;
  readonly wear: WearLimits | undefined;
}

/** @throws ERR_PADATA_ARGUMENT, ERR_PADATA_CLONE */
export function poolPlan(options: WorkPoolOptions): PoolPlan {
  checkOptions('a pool', options, POOL_OPTIONS);
  checkChoice('backend', options.backend, ['threads', 'inline']);
  checkChoice('idle', options.idle, ['block', 'loop']);
  const isShared = typeof SharedArrayBuffer !== 'undefined';
  const inline = options.backend === 'inline' || !isShared;
  if (!isShared && options.backend !== 'inline') notice('this page is not cross-origin isolated');
  const cpus = Math.min(MAX_THREADS, platform.availableParallelism());
  const asked = threadBounds(options.threads, cpus, MAX_THREADS);
  const bounds = inline ? threadBounds(0, 0, 0) : asked;
  const { max } = bounds;
  const usual = Math.min(MAX_THREADS, Math.max(max, LEAST_CAPACITY));
  const capacity = max === 0 ? 0 : (options.capacity ?? usual);
  checkInteger('capacity', capacity, max, MAX_THREADS);
  const { spin = 'auto', nodes = [], loadTimeoutMs = LOAD_TIMEOUT_MS } = options;
  if (spin !== 'auto') checkInteger('spin', spin, 0, 1_000_000);
  for (const node of nodes) checkInteger('nodes', node, 0, MAX_NODE);
  checkInteger('loadTimeoutMs', loadTimeoutMs, 1, 0x7fffffff);
  return {
    inline,
    bounds,
    capacity,
    spinUs: spin === 'auto' ? -1 : spin,
    isCrowded: max >= cpus,
    nodes,
    loadTimeoutMs,
    setup: setupOptions(options),
    wear: wearLimits(options.recycle),
  };
}

/** The control block of such a pool. */
export function makeControl({ capacity, inline, spinUs, isCrowded }: PoolPlan): Control {
  const layout = controlLayout(capacity);
  const memory = (bytes: number): SharedArrayBuffer =>
    (inline ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)) as SharedArrayBuffer;
  const words = new Int32Array(memory(layout.wordCount * 4));
  const numbers = new Float64Array(memory(layout.numberCount * 8));
  words[HEAD.MAGIC] = CONTROL_MAGIC;
  words[HEAD.VERSION] = CONTROL_VERSION;
  words[HEAD.CAPACITY] = capacity;
  words[HEAD.SPIN_US] = spinUs;
  words[HEAD.CROWDED] = isCrowded ? 1 : 0;
  return { capacity, words, numbers };
}

/** How its threads are made. */
export function threadOptions({ wear }: PoolPlan, options: WorkPoolOptions): ThreadOptions {
  return {
    name: options.name ?? 'padata',
    idle: options.idle ?? 'block',
    execArgv: options.execArgv,
    env: options.env,
    resourceLimits: options.resourceLimits,
    factory: options.worker,
    wear,
  };
}

/** @returns undefined = there is nothing to set up @throws ERR_PADATA_ARGUMENT, ERR_PADATA_CLONE */
function setupOptions(options: WorkPoolOptions): SetupOptions | undefined {
  const { setup, teardown, setupArg } = options;
  const { setupTimeoutMs = SETUP_TIMEOUT_MS, teardownTimeoutMs = TEARDOWN_TIMEOUT_MS } = options;
  checkInteger('setupTimeoutMs', setupTimeoutMs, 1, 0x7fffffff);
  checkInteger('teardownTimeoutMs', teardownTimeoutMs, 1, 0x7fffffff);
  const named = (ref: FunctionRef | undefined) =>
    ref === undefined ? undefined : { href: moduleHref(ref), name: ref.name };
  const plan = { setup: named(setup), teardown: named(teardown), arg: cloneOf(setupArg) };
  if (plan.setup === undefined && plan.teardown === undefined) return undefined;
  return { plan, setupMs: setupTimeoutMs, teardownMs: teardownTimeoutMs };
}

/** @returns undefined = threads are not replaced @throws ERR_PADATA_ARGUMENT */
function wearLimits(recycle: WorkPoolOptions['recycle']): WearLimits | undefined {
  if (recycle === undefined) return undefined;
  checkOptions('recycle', recycle, RECYCLE_OPTIONS);
  const { jobs, heapBytes } = recycle;
  checkInteger('recycle.jobs', jobs ?? 1, 1, 0x7fffffff);
  checkInteger('recycle.heapBytes', heapBytes ?? 1, 1, Number.MAX_SAFE_INTEGER);
  return { jobs, heapBytes };
}

/** @throws ERR_PADATA_CLONE */
function cloneOf(setupArg: unknown): unknown {
  try {
    return structuredClone(setupArg);
  } catch (cause) {
    throw new PadataError('ERR_PADATA_CLONE', 'setupArg cannot be cloned', {}, { cause });
  }
}
