/**
 * A range job over the workers of a prefix: padata's formulas, chunks as jobs of a run, the submitter takes part.
 *
 *     chunks   0   1   2   3   4   5   6   7   8
 *              └ sent ┘   here └ sent, two ahead for each thread ┘ └ not claimed yet
 *
 * Chunks are claimed in ascending order, by being sent or by being run here. The first error in order of arrival
 * stops claiming; chunks that were claimed finish, then `undoFn` runs over the completed spans.
 */
import { PadataError } from '@bootmem/padata';
import type { MultithreadedJob, RangeResult, RangeWorkerStats } from '@bootmem/padata';
import { chunkEnd, chunkStart, planRange } from '@bootmem/padata/backend';
import { PadataNatsError, abortReason, textOf } from '../wire/errors.js';
import { encodeValue } from '../wire/values.js';
import { runOwnChunk } from './own-chunks.js';
import type { ChunkFunction, RangeArg } from './own-chunks.js';
import { moduleName } from './series-options.js';
import { RunLink } from '../run/run-link.js';
import type { RunLinkHost } from '../run/run-link.js';
import type { Outcome } from '../run/outcome.js';

/** Chunks sent ahead for each thread of the workers. */
const AHEAD = 2;
const DEFAULT_RETRIES = 10;

/** What a range job needs from its pool. */
interface RangeHost extends RunLinkHost {
  newRun(): string;
  readonly workerWaitMs: number;
  /** The function in this process; undefined where it is not installed. */
  loadHere(module: string | URL, name: string): Promise<ChunkFunction | undefined>;
}

/** One range job under way. */
export class RangeRun<F, V> {
  readonly #job: MultithreadedJob<F, V>;
  readonly #arg: RangeArg;
  readonly #host: RangeHost;
  readonly #module: string;
  readonly #chunkSize: number;
  readonly #chunkCount: number;
  readonly #planned: number;
  readonly #got: number;
  readonly #threads: number;
  readonly #link: RunLink | undefined;
  readonly #began = performance.now();
  /** Values of completed chunks, until they are reduced. */
  readonly #values = new Map<number, unknown>();
  readonly #completed: boolean[];
  #claimed = 0;
  #settled = 0;
  /** Sent and not settled. */
  #sentOpen = 0;
  #reduced = 0;
  #unitsDone = 0;
  #value: V;
  #failure: { readonly error: unknown } | undefined;
  readonly #own = { chunks: 0, units: 0, ms: 0 };
  readonly #remote = { chunks: 0, units: 0 };
  #changed: () => void = () => undefined;
  #here: ChunkFunction | undefined;

  /** @throws PadataError ERR_PADATA_ARGUMENT */
  constructor(job: MultithreadedJob<F, V>, arg: RangeArg, host: RangeHost) {
    const { start, size, align = 1, minChunk = 1 } = job;
    this.#job = job;
    this.#arg = arg;
    this.#host = host;
    this.#module = moduleName(job.threadFn.module);
    this.#threads = host.roster.threads(this.#module);
    const maxThreads = job.maxThreads ?? this.#threads + 1;
    const plan = planRange({ start, size, align, minChunk, maxThreads }, this.#threads);
    this.#chunkSize = plan.chunkSize;
    this.#chunkCount = plan.chunkCount;
    this.#planned = plan.planned;
    this.#got = plan.got;
    this.#value = job.initial as V;
    this.#completed = new Array<boolean>(plan.chunkCount).fill(false);
    if (plan.chunkCount === 0) return;
    this.#link = new RunLink(
      {
        run: host.newRun(),
        window: plan.chunkCount,
        keepsPosition: false,
        workerWaitMs: host.workerWaitMs,
        info: {
          kind: 'range',
          module: this.#module,
          name: job.threadFn.name,
          get shared() {
            return arg.sent;
          },
          isAsked: job.reduce !== undefined,
          idempotent: job.idempotent ?? false,
          retries: job.idempotent === true ? DEFAULT_RETRIES : 0,
        },
        inputOf: (index) => (job.idempotent === true ? encodeValue(this.#span(index)) : undefined),
        deliver: () => undefined,
        onDelivered: () => undefined,
        onOutcome: (index, outcome) => {
          this.#settle(index, outcome, true);
        },
      },
      host,
    );
  }

  /** Runs it. @throws as `runMultithreaded` of padata's pool, ERR_PADATA_NATS_NO_WORKER */
  async run(): Promise<RangeResult<V>> {
    const { signal, threadFn } = this.#job;
    signal?.throwIfAborted();
    if (this.#link === undefined) return this.#result();
    const onAbort = (): void => {
      this.#fail(abortReason(signal?.reason));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#here = await this.#host.loadHere(threadFn.module, threadFn.name);
      const alone = this.#got === 1 && this.#here !== undefined;
      if (!alone) await this.#link.start();
      await this.#work(alone ? 0 : AHEAD * (this.#got - 1));
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await this.#link.close();
    }
    if (this.#failure !== undefined) {
      await this.#undo();
      throw this.#failure.error as Error;
    }
    return this.#result();
  }

  async #work(ahead: number): Promise<void> {
    while (this.#settled < this.#claimed || this.#mayClaim) {
      while (this.#mayClaim && this.#sentOpen < ahead) this.#sendNext();
      if (this.#mayClaim && this.#here !== undefined) {
        await this.#runNextHere(this.#here);
        continue;
      }
      // Nothing to do here: wait for the others. With nobody there and no function here, the link says so.
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        if (this.#mayClaim && this.#sentOpen === 0) this.#sendNext();
      });
    }
  }

  get #mayClaim(): boolean {
    return this.#failure === undefined && this.#claimed < this.#chunkCount;
  }

  #sendNext(): void {
    const index = this.#claimed;
    this.#claimed += 1;
    this.#sentOpen += 1;
    const [start, end] = this.#span(index);
    this.#link!.send(index, encodeValue([start, end]));
  }

  async #runNextHere(fn: ChunkFunction): Promise<void> {
    const index = this.#claimed;
    this.#claimed += 1;
    const span = this.#span(index);
    const began = performance.now();
    const isAsked = this.#job.reduce !== undefined;
    const outcome = await runOwnChunk(fn, { index, span, arg: this.#arg.here, isAsked });
    if (outcome.state === 'done') {
      this.#own.chunks += 1;
      this.#own.units += span[1] - span[0];
    }
    this.#settle(index, outcome, false);
    this.#own.ms += performance.now() - began;
    // Results and signs of life come through events.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #span(index: number): readonly [number, number] {
    const { start, size } = this.#job;
    return [
      chunkStart(start, this.#chunkSize, index),
      chunkEnd(start, start + size, this.#chunkSize, index),
    ];
  }

  #settle(index: number, outcome: Outcome, remote: boolean): void {
    this.#settled += 1;
    if (remote) this.#sentOpen -= 1;
    const [start, end] = this.#span(index);
    if (outcome.state === 'done') {
      this.#completed[index] = true;
      this.#unitsDone += end - start;
      if (remote) {
        this.#remote.chunks += 1;
        this.#remote.units += end - start;
      }
      if (this.#job.reduce !== undefined) this.#values.set(index, outcome.value);
      this.#reduceReady();
      this.#tellProgress();
    } else if (outcome.state === 'failed') {
      this.#fail(chunkError(start, end, outcome.error));
    } else if (this.#failure === undefined) {
      this.#fail(
        new PadataNatsError('ERR_PADATA_NATS_RUN', 'the range job was ended by somebody else'),
      );
    }
    this.#changed();
  }

  /** Values in ascending order of chunks, as soon as they are there. */
  #reduceReady(): void {
    const { reduce } = this.#job;
    if (reduce === undefined || this.#failure !== undefined) return;
    while (this.#reduced < this.#chunkCount && this.#completed[this.#reduced] === true) {
      const [start, end] = this.#span(this.#reduced);
      const value = this.#values.get(this.#reduced);
      this.#values.delete(this.#reduced);
      this.#reduced += 1;
      try {
        this.#value = reduce(this.#value, value as never, start, end);
      } catch (error) {
        this.#fail(error);
        return;
      }
    }
  }

  /** What the program's callback throws is its own, outside of the run. */
  #tellProgress(): void {
    try {
      this.#job.onProgress?.(this.#unitsDone, this.#job.size);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    // Chunks that no worker has begun come back as skipped, so all that was claimed still settles.
    this.#link?.abort('soon');
    this.#changed();
  }

  /** Runs `undoFn` here on every maximal completed span, ascending. */
  async #undo(): Promise<void> {
    const { undoFn } = this.#job;
    if (undoFn === undefined) return;
    const undo = await this.#host.loadHere(undoFn.module, undoFn.name);
    if (undo === undefined) {
      throw new PadataNatsError(
        'ERR_PADATA_NATS_ARGUMENT',
        `undoFn runs in the submitter, which has no ${moduleName(undoFn.module)}`,
        {},
        { cause: this.#failure?.error },
      );
    }
    for (let index = 0; index < this.#chunkCount; index += 1) {
      if (this.#completed[index] !== true) continue;
      const first = index;
      while (index + 1 < this.#chunkCount && this.#completed[index + 1] === true) index += 1;
      await undo(this.#span(first)[0], this.#span(index)[1], this.#arg.here);
    }
  }

  #result(): RangeResult<V> {
    const wallMs = performance.now() - this.#began;
    const workers: RangeWorkerStats[] = [];
    if (this.#own.chunks > 0) workers.push({ worker: 0, ...this.#own });
    if (this.#remote.chunks > 0) workers.push({ worker: 1, ...this.#remote, ms: wallMs });
    return {
      planned: this.#planned,
      got: this.#got,
      chunkSize: this.#chunkSize,
      chunks: this.#claimed,
      value: this.#value,
      wallMs,
      workers,
    };
  }
}

/** What keeps its code is no failure of the chunk's function. */
function chunkError(start: number, end: number, error: unknown): unknown {
  if (!(error instanceof PadataError)) return error;
  const { code, cause = code === 'ERR_PADATA_CLONE' ? error : undefined } = error;
  if (code !== 'ERR_PADATA_JOB_FAILED' && code !== 'ERR_PADATA_CLONE') return error;
  return new PadataError(
    code === 'ERR_PADATA_CLONE' ? code : 'ERR_PADATA_CHUNK_FAILED',
    `chunk [${start}, ${end}) failed: ${textOf(cause)}`,
    { start, end },
    { cause },
  );
}
