/**
 * The port to the platform: what it takes to make memory usable. Backends know nothing of units, bits or
 * zones; the accept protocol promises them that no byte is handed over twice (unless they say that is
 * harmless) and that no lock is held while they run.
 */

/** Makes memory usable. One object per thread; what threads share lies in the buffers of its handle. */
export interface AcceptBackend {
  /** Short name for reports. */
  readonly name: string;
  /**
   * Smallest piece in bytes that may be prepared on its own, so that a waiting caller can take over the rest
   * of a unit that another thread is busy with. A power of two; a value of at least the unit size means that
   * units are not split.
   */
  readonly granularity: number;
  /** Longest piece in bytes handed over in one call; a multiple of `granularity`. */
  readonly maxRun: number;
  /**
   * When the same piece may be prepared again:
   * - `concurrently`: at any time, even while others use it (touching): a waiter redoes a piece whose owner was
   *   descheduled or died;
   * - `after-death`: once nobody is inside it and nobody uses it yet (zeroing): what a dead thread left, or a backend
   *   that threw, is redone by one waiter;
   * - `never`: a second accept could hide a swap of the content by the host.
   */
  readonly repeatable: 'concurrently' | 'after-death' | 'never';
  /**
   * Makes `[start, end)` usable. Bytes; multiples of the page size.
   * @throws anything when the platform refuses; the piece then stays unusable
   */
  accept(start: number, end: number): void;
  /**
   * Changes who may see `[start, end)`; absent where there is no such thing. Bytes; multiples of the page size. Not for
   * backends that are repeatable concurrently: a late repetition would meet shared memory.
   * - `shared`: the host may read and write it; the guest's content is lost. May be asked again for what is shared or
   *   was left half converted;
   * - `private`: the host may not any more, and the guest has accepted it;
   * - `unaccepted`: the host may not any more, and whoever uses it next accepts it.
   * @throws anything when the platform refuses; nobody knows then what the piece is
   */
  convert?(start: number, end: number, to: 'shared' | 'private' | 'unaccepted'): void;
  /** A plain object from which another thread builds the same backend. */
  toHandle(): BackendHandle;
}

/** Names a backend for another thread; survives `postMessage`. */
export interface BackendHandle {
  /** Which backend; the key of {@link BackendOpeners}. */
  readonly kind: string;
  /** Whatever that backend needs; plain values and shared buffers. */
  readonly [key: string]: unknown;
}

/** How to build a backend of each kind from its handle. */
export type BackendOpeners = Readonly<Record<string, (handle: BackendHandle) => AcceptBackend>>;
