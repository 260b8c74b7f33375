/**
 * What the jobs of one ring left with the owner, by slot, until their outcomes are told: callbacks, what else they wait for,
 * and outcomes that do not lie in their slots.
 */
import { throwLater } from '../base/errors.js';
import { smallInteger } from '../base/small-integer.js';
import { Ask, Kind, SLOT, SLOT_NUMBER, slotNumber } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { readValue } from '../values/slot-values.js';
import { copyOf } from '../values/views.js';
import type { Reply } from './replies.js';
import type { ResultRoom } from '../arena/result-room.js';
import type { SerialCallback, Settle } from './job-ring.js';

/**
 * What a job left here besides its callback: bits.
 *
 * KEPT and OWN say what becomes of a byte result where the series gives views: its consumer releases it, or gets a copy,
 * because it looks at it later than in its callback. PROMISE is OWN too: whoever awaits looks later. PROGRESS: somebody listens
 * while it runs; EVERY: to each report.
 */
export const Left = {
  KEPT: 1,
  INPUT: 2,
  PROMISE: 4,
  MORE: 8,
  CANCELLED: 16,
  OWN: 32,
  PROGRESS: 64,
  EVERY: 128,
} as const;

/** Bits of `Ask` for a job that is used so. */
export function askedBy(use: number): number {
  return (use >> 5) & (Ask.PROGRESS | Ask.EVERY);
}

/** Whoever has something of a job that is delivered. */
interface RecordsHost {
  /** Inputs of this job are kept no longer. */
  forgetInput(index: number): void;
  /** Why this job was cancelled. */
  takeReason(index: number): unknown;
}

/** The records of one ring. */
export class SlotRecords {
  /** Bits of `Left`, by slot. */
  readonly flags: Uint8Array;
  /** Is the outcome that `take` has found a failure? */
  failed = false;
  /** Bytes of plain data that `take` has read so far: about what that has cost. */
  plainBytes = 0;
  readonly #memory: RingMemory;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #copyBytes: boolean;
  readonly #room: ResultRoom;
  readonly #host: RecordsHost;
  readonly #callbacks: (SerialCallback | undefined)[];
  readonly #replies: (Reply | undefined)[];
  /** Set for a job whose callback is the `resolve` of a promise. */
  readonly #rejects: (Settle | undefined)[];

  /** @param copyBytes byte results are the consumer's own */
  constructor(memory: RingMemory, copyBytes: boolean, room: ResultRoom, host: RecordsHost) {
    const { words, numbers, window } = memory;
    this.#memory = memory;
    this.#words = words;
    this.#numbers = numbers;
    this.#copyBytes = copyBytes;
    this.#room = room;
    this.#host = host;
    this.flags = new Uint8Array(window);
    this.#callbacks = new Array<undefined>(window).fill(undefined);
    this.#replies = new Array<undefined>(window).fill(undefined);
    this.#rejects = new Array<undefined>(window).fill(undefined);
  }

  /** A job is submitted. */
  note(index: number, flags: number, callback: SerialCallback, reject: Settle | undefined): void {
    this.#callbacks[index] = callback;
    if (reject === undefined) this.flags[index] = flags;
    else {
      this.#rejects[index] = reject;
      this.flags[index] = flags | Left.PROMISE;
    }
  }

  /** An outcome that does not lie in the slot is here. */
  reply(index: number, reply: Reply): void {
    this.#replies[index] = reply;
  }

  /** Is the outcome of the job in this slot here? One by message may come after its slot. */
  hasOutcome(base: number, index: number): boolean {
    return this.#words[base + SLOT.KIND]! < Kind.MESSAGE || this.#replies[index] !== undefined;
  }

  /** Takes the outcome of a job that has ended: a value, or with `failed` an error. */
  take(base: number, index: number): unknown {
    const kind = this.#words[base + SLOT.KIND]!;
    const flags = this.flags[index]!;
    this.failed = false;
    let value: unknown;
    if (kind === Kind.NUMBER) {
      value = smallInteger(this.#numbers[slotNumber(index) + SLOT_NUMBER.VALUE]!);
      if (this.#room.isWatching) this.#room.fitted(0);
    } else value = this.#takeOther(base, index, kind, flags);
    return (flags & (Left.INPUT | Left.CANCELLED)) === 0
      ? value
      : this.#forget(index, flags, value);
  }

  /**
   * Tells the outcome that `take` has found. The slot may be another job's as soon as anybody hears of it, so what this one
   * left here is taken before.
   */
  tell(
    index: number,
    number: number,
    flags: number,
    failed: boolean,
    value: unknown,
    onOutcome: ((failed: boolean) => void) | undefined,
  ): void {
    const callback = this.#callbacks[index]!;
    this.#callbacks[index] = undefined;
    let reject: Settle | undefined;
    if ((flags & Left.PROMISE) !== 0) {
      reject = this.#rejects[index];
      this.#rejects[index] = undefined;
    }
    if (onOutcome !== undefined) onOutcome(failed);
    if (reject === undefined) call(callback, failed, value, number);
    else if (failed) reject(value);
    else (callback as unknown as Settle)(value);
  }

  #takeOther(base: number, index: number, kind: number, flags: number): unknown {
    if (kind >= Kind.MESSAGE) {
      const reply = this.#replies[index]!;
      this.#replies[index] = undefined;
      this.failed = reply.failed;
      if (kind === Kind.MESSAGE && !reply.failed) this.#room.missed(reply.value);
      return reply.value;
    }
    if (this.#room.isWatching) {
      this.#room.fitted(kind >= Kind.BYTES ? this.#words[base + SLOT.LENGTH]! : 0);
    }
    if (kind === Kind.PLAIN) this.plainBytes += this.#words[base + SLOT.LENGTH]!;
    const value = readValue(this.#memory, base, index);
    const isCopied = this.#copyBytes || (flags & (Left.OWN | Left.PROMISE)) !== 0;
    return isCopied && kind === Kind.BYTES ? copyOf(value as Uint8Array) : value;
  }

  #forget(index: number, flags: number, value: unknown): unknown {
    if ((flags & Left.INPUT) !== 0) this.#host.forgetInput(index);
    if ((flags & Left.CANCELLED) === 0) return value;
    this.failed = true;
    return this.#host.takeReason(index);
  }
}

/** Tells an outcome to a callback; what that throws is the program's. */
export function call(
  callback: SerialCallback,
  failed: boolean,
  value: unknown,
  number: number,
): void {
  try {
    callback(failed ? value : undefined, failed ? undefined : value, number >>> 0);
  } catch (error) {
    throwLater(error);
  }
}
