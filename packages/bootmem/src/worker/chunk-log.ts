/**
 * A shared list of finished chunks: who ran what, when. Written by every thread, read at the end.
 *
 * ```
 * counter (Int32) | record 0: thread, nid, start, end, startMs, endMs (Float64 × 6) | record 1 | …
 * ```
 * A writer takes a slot by an atomic add and then writes only that slot; the reader looks after all jobs
 * have ended, so the job's end orders the reads. Records beyond the capacity are counted, not kept.
 */
import { allocateBuffer } from '@bootmem/memmap/shared';

const RECORD = 6;
const HEADER_BYTES = 8;

/** One finished chunk. Times are milliseconds since the epoch of the boot's clock. */
export interface ChunkRecord {
  readonly thread: number;
  readonly nid: number;
  readonly startPfn: number;
  readonly endPfn: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** A view of the list; no state of its own. */
export class ChunkLog {
  readonly #counter: Int32Array;
  readonly #records: Float64Array;
  readonly capacity: number;

  /** @param buffer from {@link ChunkLog.allocate} */
  constructor(buffer: ArrayBufferLike) {
    this.#counter = new Int32Array(buffer, 0, 1);
    this.#records = new Float64Array(buffer, HEADER_BYTES);
    this.capacity = Math.floor(this.#records.length / RECORD);
  }

  /**
   * Memory for a list.
   * @param capacity  records
   */
  static allocate(capacity: number): ArrayBufferLike {
    return allocateBuffer(HEADER_BYTES + capacity * RECORD * 8);
  }

  /** Adds a record; drops it when the list is full. */
  add(record: ChunkRecord): void {
    // The add hands out each slot once; nothing is published through the counter itself.
    const slot = Atomics.add(this.#counter, 0, 1);
    if (slot >= this.capacity) return;
    const at = slot * RECORD;
    this.#records[at] = record.thread;
    this.#records[at + 1] = record.nid;
    this.#records[at + 2] = record.startPfn;
    this.#records[at + 3] = record.endPfn;
    this.#records[at + 4] = record.startMs;
    this.#records[at + 5] = record.endMs;
  }

  /** Chunks that ran, kept or not. */
  get count(): number {
    return Atomics.load(this.#counter, 0);
  }

  /** What was kept, in order of their end. */
  read(): ChunkRecord[] {
    const records: ChunkRecord[] = [];
    for (let slot = 0; slot < Math.min(this.count, this.capacity); slot++) {
      const at = slot * RECORD;
      records.push({
        thread: this.#records[at]!,
        nid: this.#records[at + 1]!,
        startPfn: this.#records[at + 2]!,
        endPfn: this.#records[at + 3]!,
        startMs: this.#records[at + 4]!,
        endMs: this.#records[at + 5]!,
      });
    }
    return records.sort((left, right) => left.endMs - right.endMs);
  }
}

/** The clock that all threads of a process share, milliseconds. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now();
}
