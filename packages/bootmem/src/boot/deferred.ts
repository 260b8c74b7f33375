/**
 * The deferred part of a boot: all nodes at the same time, chunks spread over padata's threads, the calling
 * thread among them.
 */
import { allocateBuffer } from '@bootmem/memmap/shared';
import type { PreparedRange, WorkPool } from '@bootmem/padata';
import { createDeferredNodes, initDeferred } from '@bootmem/page-init';
import type { DeferredNode, DeferredResult, RangeJobRunner } from '@bootmem/page-init';
import { adopt, release } from '../worker/init-worker.js';
import { ThreadTable } from '../worker/thread-table.js';
import type { AttachArg, ChunkArg, MachineHandle } from '../worker/init-worker.js';
import type { WorkerFunctions } from '../worker/functions.js';
import { ChunkLog } from '../worker/chunk-log.js';
import type { Assembly } from './assemble.js';
import { helpersByNode } from './host-nodes.js';
import { createLoneRunner } from './lone-jobs.js';
import type { BootThreads, Placement } from './threads.js';

/** Boots of this process so far: makes their names differ. */
let boots = 0;

/** Chunks that are kept for the timeline. */
const LOG_CAPACITY = 16384;

/** Threads of a pass. */
export interface PassThreads {
  /** That initialise, the caller included. */
  readonly threads: number;
  /** For one node at most. */
  readonly limitOf: (nid: number) => number;
}

/**
 * One signal as many, one for each job: with hundreds of nodes their listeners on one signal would be taken for a leak.
 */
class FanOut {
  readonly #signal: AbortSignal | undefined;
  readonly #jobs: AbortController[] = [];
  readonly #stop = (): void => {
    for (const job of this.#jobs) job.abort(this.#signal?.reason);
  };

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener('abort', this.#stop, { once: true });
  }

  /** A signal for one job; raised when the one signal is, or was. */
  next(): AbortSignal {
    const job = new AbortController();
    this.#jobs.push(job);
    if (this.#signal?.aborted === true) this.#stop();
    return job.signal;
  }

  /** No job runs any more. */
  close(): void {
    this.#signal?.removeEventListener('abort', this.#stop);
  }
}

/** The deferred pass of one machine, from its making to its end. */
export class DeferredPass {
  readonly nodes: readonly DeferredNode[];
  readonly log: ChunkLog;
  /** Free pages that are deferred. */
  readonly totalPages: number;
  readonly #machine: Assembly;
  readonly #boot: string;
  readonly #logBuffer: ArrayBufferLike;
  readonly #threadBuffer = ThreadTable.allocate();
  readonly #functions: WorkerFunctions;
  readonly #threads: number;
  readonly #limitOf: (nid: number) => number;
  readonly #placement: Placement | undefined;
  #prepared: readonly Promise<{ nid: number; range: PreparedRange }>[] = [];
  #attached: Promise<void> | undefined;
  readonly #pool: WorkPool;

  /**
   * Lays the pass out.
   * @param machine  an assembled machine
   * @param running  its threads; closed with the pass
   * @param functions  what they run
   * @param threads  how many initialise, all together and a node
   */
  constructor(
    machine: Assembly,
    { pool, placement }: BootThreads,
    functions: WorkerFunctions,
    { threads, limitOf }: PassThreads,
  ) {
    this.#machine = machine;
    this.#functions = functions;
    this.#pool = pool;
    this.#placement = placement;
    this.#threads = threads;
    this.#limitOf = (nid) => Math.max(1, Math.min(threads, limitOf(nid)));
    boots++;
    this.#boot = `${Date.now()}-${boots}`;
    this.#logBuffer = ChunkLog.allocate(LOG_CAPACITY);
    this.log = new ChunkLog(this.#logBuffer);
    const { pages, memmap, allocator } = machine;
    this.nodes = createDeferredNodes(pages, memmap, {
      sink: allocator,
      threadId: allocator.thread,
      liveness: allocator.registry,
    });
    this.totalPages = pages.pages.deferred;
    adopt(this.#boot, allocator, this.nodes, this.#logBuffer);
    const table = new ThreadTable(this.#threadBuffer);
    // A worker that ended leaves its locks to the next and its claims to nobody; those who wait learn it.
    pool.on('worker-exit', ({ worker }) => {
      const thread = table.leave(worker);
      if (thread !== undefined) allocator.registry.markDead(thread);
    });
  }

  /**
   * Sends the machine to the threads, once for each node's job, and lets them attach while the calling
   * thread does the early pass. Nobody waits for it: a thread that is late attaches at its first chunk.
   */
  prepare(): void {
    const machine = this.handle();
    const members = this.#helpersOfNodes();
    const shared = this.nodes.filter(({ nid }) => !this.#isLone(nid));
    this.#prepared = shared.map(async (node) => ({
      nid: node.nid,
      range: await this.#pool.prepareRange({
        threadFn: this.#functions.chunk,
        arg: { machine, nid: node.nid } satisfies ChunkArg,
        align: node.sectionPages,
        minChunk: node.sectionPages,
        maxThreads: this.#limitOf(node.nid),
        ...members?.get(node.nid),
        // Sections are claimed one by one: a chunk that is run again goes on where it stopped.
        idempotent: true,
      }),
    }));
    // Where a boot fails before its pass, nobody asks for them any more.
    for (const one of this.#prepared) one.catch(() => undefined);
    const helpers = this.#threads - 1;
    if (helpers === 0 || this.nodes.length === 0) return;
    const arg: AttachArg = {
      machine,
      ready: new Int32Array(allocateBuffer(4)),
      threads: helpers + 1,
    };
    this.#attached = this.#pool
      .runMultithreaded({
        threadFn: this.#functions.attach,
        arg,
        start: 0,
        size: helpers + 1,
        minChunk: 1,
        maxThreads: helpers + 1,
      })
      .then(
        () => undefined,
        () => undefined,
      );
  }

  /**
   * Gives threads that are still attaching a moment, so that a small machine is shared as well.
   * @param limitMs  most milliseconds to wait
   */
  async settle(limitMs: number): Promise<void> {
    if (this.#attached === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.#attached, limit]);
    clearTimeout(timer);
  }

  /**
   * Runs the pass.
   * @param options.signal      ends it
   * @param options.onProgress  pages done over all nodes, holes included
   * @param options.onNode      a node's kernel-like line
   */
  async run(options: {
    signal: AbortSignal | undefined;
    onProgress: (done: number, total: number) => void;
    onNode: (line: string) => void;
  }): Promise<DeferredResult> {
    const progress = new Map<number, number>();
    const prepared = new Map(
      (await Promise.all(this.#prepared)).map(({ nid, range }) => [nid, range]),
    );
    const report = (key: number, done: number): void => {
      progress.set(key, done);
      let sum = 0;
      for (const pages of progress.values()) sum += pages;
      options.onProgress(Math.min(sum, this.totalPages), this.totalPages);
    };
    const stops = new FanOut(options.signal);
    const lone = createLoneRunner({
      pool: this.#pool,
      threadFn: this.#functions.lone,
      machine: this.handle(),
      threads: this.#threads,
      signal: () => stops.next(),
      onDone: ({ start, size }) => {
        report(start, size);
      },
    });
    const runner: RangeJobRunner = {
      run: (job) =>
        prepared.get(job.nid)?.run(job.start, job.size, {
          signal: stops.next(),
          onProgress: (done) => {
            report(job.start, done);
          },
        }) ?? lone.run(job),
    };
    try {
      return await initDeferred(this.nodes, {
        profile: this.#machine.pages.profile,
        runner,
        // Threads are this machine's: how many a node gets was decided with both in view.
        cpusOf: this.#limitOf,
        maxThreads: (threads) => threads,
        onNode: (node) => {
          options.onNode(node.line);
        },
      });
    } finally {
      stops.close();
    }
  }

  /** Who helps with a node, where threads belong to nodes of this host; from several of them in turn. */
  #helpersOfNodes(): Map<number, { workers: number[]; nodeAware: true }> | undefined {
    if (this.#placement === undefined) return undefined;
    const { byHelper, nodes } = this.#placement;
    const workers = helpersByNode(byHelper, nodes.length, this.nodes.length);
    return new Map(
      this.nodes.map(({ nid }, i) => [nid, { workers: workers[i]!, nodeAware: true as const }]),
    );
  }

  /** One thread for this node, and others for other nodes meanwhile. */
  #isLone(nid: number): boolean {
    return this.#limitOf(nid) === 1 && this.#threads > 1 && this.nodes.length > 1;
  }

  /** Node of this host that each helper belongs to; the first is helper 1. Absent: to none. */
  get hostNodes(): readonly number[] | undefined {
    const placement = this.#placement;
    return placement?.byHelper.map((index) => placement.nodes[index]!.nid);
  }

  /** Ends the threads. Idempotent. */
  async close(): Promise<void> {
    release(this.#boot);
    await this.#attached;
    await this.#pool.close();
  }

  /** The machine for other threads. */
  handle(): MachineHandle {
    const { allocator, acceptance } = this.#machine;
    return {
      boot: this.#boot,
      allocator: allocator.toHandle(),
      nodes: this.nodes.map((node) => ({ nid: node.nid, node: node.toHandle() })),
      log: this.#logBuffer,
      threads: this.#threadBuffer,
      ...(acceptance === undefined
        ? {}
        : {
            unaccepted: {
              memory: acceptance.memory.toHandle(),
              acceptor: acceptance.acceptor.toHandle(),
            },
          }),
    };
  }
}
