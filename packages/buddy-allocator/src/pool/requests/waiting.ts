/**
 * Requests of one thread that wait for memory without blocking it.
 *
 *     first ─▶ second ─▶ third        tried in this order; the first that gets nothing ends the round
 *       └── again after 1, 2, 4 … 32 ms, from 1 on when one was served
 *
 * Nothing tells when memory is freed, as a free that hits a cache tells nobody; so the first is tried again, which asks the
 * caches of all threads. A request that comes while others wait goes behind them.
 *
 * A try calls the program back (`onPressure`), which may end any of those that wait, the one that is tried included: so after each
 * it is looked at again whether that one still waits, and what it no longer wants goes back.
 */
import { checkObject, checkTimeout, refuse } from '../../base/check.js';
import type { AllocRequest } from '../pool-types.js';

const SHORTEST_MS = 1;
const LONGEST_MS = 32;

interface Waiter {
  readonly order: number;
  readonly request: AllocRequest;
  readonly resolve: (pfn: number | undefined) => void;
  readonly reject: (reason: Error) => void;
}

/** What is tried, and what takes back. */
interface WaitingPool {
  readonly alloc: (order: number, request: AllocRequest) => number | undefined;
  readonly free: (pfn: number, order: number) => void;
}

/** Requests that wait. */
export class WaitingRequests {
  readonly #pool: WaitingPool;
  readonly #queue: Waiter[] = [];
  /** Those that a signal aborts: it is listened to once, as engines warn of many listeners. */
  readonly #aborted = new Map<AbortSignal, { readonly waiters: Set<Waiter>; stop(): void }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause = SHORTEST_MS;

  constructor(pool: WaitingPool) {
    this.#pool = pool;
  }

  /** Waits for a block. @throws ERR_BUDDY_ARGUMENT for options that are none; the signal's reason */
  alloc(
    order: number,
    request: AllocRequest,
    options: { readonly signal?: AbortSignal; readonly ms?: number },
  ): Promise<number | undefined> {
    checkObject(options, 'options');
    checkTimeout(options.ms, 'ms');
    const { signal, ms = Infinity } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      refuse('signal', 'an AbortSignal', signal);
    }
    signal?.throwIfAborted();
    if (this.#queue.length === 0) {
      const pfn = this.#pool.alloc(order, request);
      if (pfn !== undefined || ms === 0) return Promise.resolve(pfn);
      signal?.throwIfAborted();
    }
    return new Promise((resolve, reject) => {
      let limit: ReturnType<typeof setTimeout> | undefined;
      const end = (): void => {
        clearTimeout(limit);
        if (signal !== undefined) this.#forget(signal, waiter);
        const at = this.#queue.indexOf(waiter);
        if (at >= 0) this.#queue.splice(at, 1);
      };
      const waiter: Waiter = {
        order,
        request,
        resolve(pfn) {
          end();
          resolve(pfn);
        },
        reject(reason) {
          end();
          reject(reason);
        },
      };
      if (signal !== undefined) this.#listen(signal, waiter);
      if (ms < 2 ** 31) {
        limit = setTimeout(() => {
          waiter.resolve(undefined);
        }, ms);
      }
      this.#queue.push(waiter);
      this.#arm();
    });
  }

  /** Serves who can be served, in order. */
  look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pause = Math.min(2 * this.#pause, LONGEST_MS);
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      let pfn: number | undefined;
      try {
        pfn = this.#pool.alloc(first.order, first.request);
      } catch (error) {
        first.reject(error as Error);
        continue;
      }
      const waits = this.#queue[0] === first;
      if (pfn === undefined) {
        if (waits) break;
        continue;
      }
      this.#pause = SHORTEST_MS;
      if (waits) first.resolve(pfn);
      else this.#pool.free(pfn, first.order);
    }
    this.#arm();
  }

  #listen(signal: AbortSignal, waiter: Waiter): void {
    let entry = this.#aborted.get(signal);
    if (entry === undefined) {
      const waiters = new Set<Waiter>();
      const abort = (): void => {
        for (const one of [...waiters]) one.reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort);
      const stop = (): void => {
        signal.removeEventListener('abort', abort);
      };
      entry = { waiters, stop };
      this.#aborted.set(signal, entry);
    }
    entry.waiters.add(waiter);
  }

  #forget(signal: AbortSignal, waiter: Waiter): void {
    const entry = this.#aborted.get(signal);
    if (entry?.waiters.delete(waiter) !== true || entry.waiters.size > 0) return;
    entry.stop();
    this.#aborted.delete(signal);
  }

  #arm(): void {
    if (this.#queue.length === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.look();
    }, this.#pause);
  }
}
