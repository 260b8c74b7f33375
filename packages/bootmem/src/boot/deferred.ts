/**
 * The deferred part of a boot: all nodes at the same time, chunks spread over padata's threads, the calling
 * thread among them.
 */
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';
import { createDeferredNodes, initDeferred } from '@bootmem/page-init';
import type { DeferredNode, DeferredResult, RangeJobRunner } from '@bootmem/page-init';
import { adopt, release } from '../worker/init-worker.js';
import type { ChunkArg } from '../worker/init-worker.js';
import { ChunkLog } from '../worker/chunk-log.js';
import type { Assembly } from './assemble.js';

/** Chunks that are kept for the timeline. */
const LOG_CAPACITY = 16384;

/** The deferred pass of one machine, from its making to its end. */
export class DeferredPass {
  readonly nodes: readonly DeferredNode[];
  readonly log: ChunkLog;
  /** Free pages that are deferred. */
  readonly totalPages: number;
  readonly #machine: Assembly;
  readonly #boot: string;
  readonly #logBuffer: SharedArrayBuffer;
  readonly #threads: number;
  #pool: WorkPool | undefined;

  /**
   * Lays the pass out and starts its threads; they come up while the early pass runs.
   * @param machine  an assembled machine
   * @param threads  threads that initialise, the caller included
   */
  constructor(machine: Assembly, threads: number) {
    this.#machine = machine;
    this.#threads = threads;
    this.#boot = crypto.randomUUID();
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
    if (this.nodes.length > 0 && threads > 1) {
      this.#pool = createWorkPool({ threads: threads - 1, name: 'bootmem' });
    }
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
    const pool = (this.#pool ??= createWorkPool({ threads: 0, backend: 'inline' }));
    const report = (key: number, done: number): void => {
      progress.set(key, done);
      let sum = 0;
      for (const pages of progress.values()) sum += pages;
      options.onProgress(Math.min(sum, this.totalPages), this.totalPages);
    };
    const runner: RangeJobRunner = {
      run: (job) =>
        pool.runMultithreaded({
          threadFn: {
            module: new URL('../worker/init-worker.js', import.meta.url),
            name: 'initChunk',
          },
          arg: this.#argOf(job.nid),
          start: job.start,
          size: job.size,
          align: job.align,
          minChunk: job.minChunk,
          maxThreads: job.maxThreads,
          signal: options.signal,
          onProgress: (done) => {
            report(job.start, done);
          },
        }),
    };
    return await initDeferred(this.nodes, {
      profile: this.#machine.pages.profile,
      runner,
      // The user said how many threads; cpus of the described machine do not limit this one.
      maxThreads: () => this.#threads,
      onNode: (node) => {
        options.onNode(node.line);
      },
    });
  }

  /** Ends the threads. Idempotent. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    release(this.#boot);
    await pool?.close();
  }

  #argOf(nid: number): ChunkArg {
    const { allocator, acceptance } = this.#machine;
    const node = this.nodes.find((candidate) => candidate.nid === nid)!;
    return {
      boot: this.#boot,
      nid,
      allocator: allocator.toHandle(),
      node: node.toHandle(),
      log: this.#logBuffer,
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
