/**
 * Reads a source, submits its items, hands results out in the order in which they come: the source's, or that of completion.
 *
 * ```
 *   source ─ read ahead, at most `window` not yet handed out ─▶ submit ─▶ outcomes, in order ─▶ next()
 * ```
 * Nothing is read before the first `next()`. Read + waiting + running + done but not taken together never
 * exceed the window: a slow consumer stops the reading.
 */
import { abortReason } from '../base/abort.js';
import { Fifo } from '../base/fifo.js';
import { checkChoice, checkOptions, mistake } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import type { ErrorPolicy, JobCallback, MapOptions, ReadableLike, Source } from './series-types.js';

/** What the iterator needs of a series. */
export interface OrderedSink<I, R> {
  readonly window: number;
  /** Byte results are views that have to be released one by one. */
  readonly keep: boolean;
  submit(input: I, callback: JobCallback<R>, keep: boolean): boolean;
  room(): Promise<void>;
  release(): void;
}

const MAP_OPTIONS: OptionKinds<MapOptions> = {
  errors: 'a text',
  signal: 'an AbortSignal',
  entries: 'true or false',
  onProgress: 'a function',
};

interface Waiter<R> {
  resolve(result: IteratorResult<R, undefined>): void;
  reject(error: unknown): void;
}

interface Outcome<R> {
  readonly failed: boolean;
  readonly value: R | undefined;
  readonly error: unknown;
  /** Of its item in the source. */
  readonly index: number;
}

/** Why nothing more is handed out; without a failure all is over. */
interface End {
  readonly failure?: { readonly error: unknown };
}

const ALL_DONE: End = {};

/** Asynchronous iterator over the results of a source's items; with `entries` over `[index, result]`. */
export class OrderedIterator<I, R> implements AsyncIterableIterator<R>, AsyncDisposable {
  readonly #sink: OrderedSink<I, R>;
  readonly #source: Iterator<I> | undefined;
  readonly #asyncSource: AsyncIterator<I> | undefined;
  readonly #policy: ErrorPolicy;
  readonly #entries: boolean;
  readonly #onProgress: ((done: number) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #queue = new Fifo<Outcome<R>>();
  readonly #waiters = new Fifo<Waiter<R>>();
  readonly #errors: unknown[] = [];
  /** Submitted and not handed out. */
  #ahead = 0;
  #handed = 0;
  #read = 0;
  #sourceDone = false;
  /** Set when the source itself failed. */
  #sourceError: { readonly error: unknown } | undefined;
  #reading = false;
  #paused = false;
  /** Set once nothing more is handed out. */
  #over: End | undefined;
  #isLent = false;

  constructor(sink: OrderedSink<I, R>, source: Source<I>, options: MapOptions) {
    checkOptions('map', options, MAP_OPTIONS);
    checkChoice('errors', options.errors, ['throw', 'skip', 'collect']);
    checkSource(source);
    this.#sink = sink;
    this.#policy = options.errors ?? 'throw';
    this.#entries = options.entries === true;
    this.#onProgress = options.onProgress;
    this.#signal = options.signal;
    if (typeof source === 'string') this.#source = (source as Iterable<I>)[Symbol.iterator]();
    else if (Symbol.asyncIterator in source) this.#asyncSource = source[Symbol.asyncIterator]();
    else if (Symbol.iterator in source) this.#source = source[Symbol.iterator]();
    else this.#asyncSource = readerIterator(source);
    if (options.signal?.aborted === true)
      this.#finish({ failure: { error: abortReason(options.signal.reason) } });
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next result; rejects at a failed item's place under the 'throw' policy. */
  next(): Promise<IteratorResult<R, undefined>> {
    this.#letGo();
    const promise = new Promise<IteratorResult<R, undefined>>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
    this.#feed();
    this.#serve();
    return promise;
  }

  /** Ends early: nothing more is read; jobs under way finish unseen. */
  async return(): Promise<IteratorResult<R, undefined>> {
    this.#letGo();
    this.#finish(ALL_DONE);
    await this.#asyncSource?.return?.();
    this.#source?.return?.();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #onAbort = (): void => {
    this.#finish({ failure: { error: abortReason(this.#signal?.reason) } });
    this.#leaveSource();
  };

  /** After an error that is told already: what the source says at its end is nobody's, as in a `for await` that throws. */
  #leaveSource(): void {
    const leave = async (): Promise<void> => {
      await this.#asyncSource?.return?.();
      this.#source?.return?.();
    };
    leave().catch(() => undefined);
  }

  /** The item handed out last is no longer looked at. */
  #letGo(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#sink.release();
  }

  #feed(): void {
    if (this.#sourceDone || this.#over !== undefined || this.#paused) return;
    if (this.#asyncSource !== undefined) {
      if (!this.#reading) void this.#readAsync(this.#asyncSource);
      return;
    }
    try {
      while (this.#ahead < this.#sink.window && !this.#isStopped) {
        const item = this.#source!.next();
        if (item.done === true) {
          this.#sourceDone = true;
          // Whoever waits may have waited for this alone: all that was read has been handed out or skipped.
          this.#serve();
          return;
        }
        if (!this.#submit(item.value)) break;
      }
    } catch (error) {
      this.#sourceFailed(error);
    }
  }

  async #readAsync(source: AsyncIterator<I>): Promise<void> {
    this.#reading = true;
    try {
      while (this.#ahead < this.#sink.window && !this.#isStopped && !this.#paused) {
        const item = await source.next();
        if (item.done === true) {
          this.#sourceDone = true;
          break;
        }
        // The wait above gave everyone time to stop this iterator.
        if (this.#hasStopped()) break;
        this.#submit(item.value);
      }
    } catch (error) {
      this.#sourceFailed(error);
    }
    this.#reading = false;
    this.#serve();
  }

  #hasStopped(): boolean {
    return this.#over !== undefined;
  }

  get #isStopped(): boolean {
    return this.#over !== undefined;
  }

  /** False = the series is full because of others: goes on when there is room. */
  #submit(value: I): boolean {
    this.#ahead += 1;
    const index = this.#read;
    this.#read += 1;
    const { keep } = this.#sink;
    let room: boolean;
    try {
      room = this.#sink.submit(
        value,
        (error, result) => {
          this.#take({ failed: error !== undefined, value: result, error, index });
        },
        keep,
      );
    } catch (error) {
      this.#ahead -= 1;
      throw error;
    }
    if (!room) {
      this.#paused = true;
      void this.#sink.room().then(() => {
        this.#paused = false;
        this.#feed();
      });
    }
    return room;
  }

  #take(outcome: Outcome<R>): void {
    if (this.#over !== undefined) {
      if (this.#sink.keep) this.#sink.release();
      return;
    }
    this.#queue.push(outcome);
    this.#serve();
  }

  /** The source itself failed: what was read is still handed out, then the error. */
  #sourceFailed(error: unknown): void {
    this.#sourceDone = true;
    // Not into the queue: results of items read before are still under way.
    this.#sourceError = { error };
    this.#serve();
  }

  #serve(): void {
    while (this.#waiters.length > 0) {
      const outcome = this.#queue.shift();
      if (outcome !== undefined) {
        this.#ahead -= 1;
        this.#handOut(outcome);
      } else if (this.#over !== undefined) {
        const waiter = this.#waiters.shift()!;
        const { failure } = this.#over;
        if (failure === undefined) waiter.resolve({ done: true, value: undefined });
        else {
          // Whatever was thrown, undefined too.
          waiter.reject(failure.error);
          this.#over = ALL_DONE;
        }
      } else if (this.#sourceError !== undefined && this.#ahead === 0) {
        this.#finish({ failure: this.#sourceError });
      } else if (this.#sourceDone && this.#ahead === 0) {
        const errors = this.#errors;
        this.#finish(
          errors.length === 0
            ? ALL_DONE
            : { failure: { error: new AggregateError(errors, `${errors.length} items failed`) } },
        );
      } else break;
    }
    if (this.#waiters.length > 0) this.#feed();
  }

  #handOut(outcome: Outcome<R>): void {
    if (!outcome.failed) {
      const waiter = this.#waiters.shift()!;
      this.#handed += 1;
      this.#isLent = this.#sink.keep;
      const value = outcome.value as R;
      // With `entries` R is what the caller calls it: an index and a value.
      waiter.resolve({
        done: false,
        value: this.#entries ? ([outcome.index, value] as unknown as R) : value,
      });
      this.#onProgress?.(this.#handed);
      return;
    }
    if (this.#sink.keep) this.#sink.release();
    if (this.#policy === 'throw') {
      this.#finish({ failure: { error: outcome.error } });
      this.#leaveSource();
      return;
    }
    if (this.#policy === 'collect') this.#errors.push(outcome.error);
  }

  #finish(over: End): void {
    if (this.#over !== undefined) return;
    this.#over = over;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#sink.keep) {
      for (let n = this.#queue.length; n > 0; n -= 1) this.#sink.release();
    }
    this.#queue.clear();
    this.#serve();
  }
}

/** @throws ERR_PADATA_ARGUMENT for what cannot be read item by item */
function checkSource(source: unknown): void {
  const object: object = Object(source) as object;
  if (Symbol.asyncIterator in object || Symbol.iterator in object || 'getReader' in object) return;
  throw mistake('source', 'iterable, or a ReadableStream', source);
}

/** Iterates a ReadableStream where it is not iterable by itself. */
function readerIterator<T>(stream: ReadableLike<T>): AsyncIterator<T> {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? { done: true, value: undefined } : { done: false, value: value as T };
    },
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}
