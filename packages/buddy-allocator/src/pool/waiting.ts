/**
 * Requests of one thread that wait for memory without blocking it.
 *
 *     first ─▶ second ─▶ third        tried in this order; the first that gets nothing ends the round
 *       └── again after 1, 2, 4 … 32 ms, from 1 on when one was served
 *
 * Nothing tells when memory is freed, as a free that hits a cache tells nobody; so the first is tried again, which asks the
 * caches of all threads. A request that comes while others wait goes behind them.
 */
import { refuse } from '../base/check.js';
import type { AllocRequest } from './pool-types.js';

const SHORTEST_MS = 1;
const LONGEST_MS = 32;

interface Waiter {
  readonly order: number;
  readonly request: AllocRequest;
  readonly resolve: (pfn: number | undefined) => void;
  readonly reject: (reason: Error) => void;
}

/** Requests that wait. */
export class WaitingRequests {
  readonly #alloc: (order: number, request: AllocRequest) => number | undefined;
  readonly #queue: Waiter[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause = SHORTEST_MS;

  /** @param alloc  as that of the pool */
  constructor(alloc: (order: number, request: AllocRequest) => number | undefined) {
    this.#alloc = alloc;
  }

  /** Waits for a block. */
  alloc(
    order: number,
    request: AllocRequest,
    { signal, ms = Infinity }: { readonly signal?: AbortSignal; readonly ms?: number },
  ): Promise<number | undefined> {
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      refuse('signal', 'an AbortSignal', signal);
    }
    signal?.throwIfAborted();
    if (this.#queue.length === 0) {
      const pfn = this.#alloc(order, request);
      if (pfn !== undefined || ms === 0) return Promise.resolve(pfn);
    }
    return new Promise((resolve, reject) => {
      let limit: ReturnType<typeof setTimeout> | undefined;
      const end = (): void => {
        clearTimeout(limit);
        signal?.removeEventListener('abort', abort);
        const at = this.#queue.indexOf(waiter);
        if (at >= 0) this.#queue.splice(at, 1);
      };
      const abort = (): void => {
        end();
        reject(signal?.reason as Error);
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
      signal?.addEventListener('abort', abort);
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
        pfn = this.#alloc(first.order, first.request);
      } catch (error) {
        first.reject(error as Error);
        continue;
      }
      if (pfn === undefined) break;
      this.#pause = SHORTEST_MS;
      first.resolve(pfn);
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#queue.length === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.look();
    }, this.#pause);
  }
}
