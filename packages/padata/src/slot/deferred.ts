/**
 * Completing a job from a thread that does not run it: the slot is in shared memory, so anyone who has
 * the handle can put the result in and hand the slot to the owner.
 *
 * Between the claim of the job and its end nothing of the program's own may run: a getter that throws, ends its thread or
 * never returns would leave the job to nobody. So what has getters is written aside before.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { isObject, mistake } from '../base/options.js';
import { HEAD } from '../protocol/control-layout.js';
import { stepsOf } from '../protocol/machine.js';
import {
  RING,
  SLOT,
  SlotState,
  deferredState,
  ringMemory,
  slotWord,
} from '../protocol/ring-layout.js';
import { JobBytes } from '../values/job-bytes.js';
import { NO_ROOM } from '../values/plain-codec.js';
import { encodePlainAside, isPlain, writeEncoded, writeValue } from '../values/slot-values.js';
import { viewRoom } from '../values/views.js';
import type { DeferredJob } from './job-context.js';

/**
 * Completes a deferred job with a value that fits its slot (numbers, text, bytes, plain data).
 * @param job   handle from `ctx.defer()`
 * @param value result
 * @throws ERR_PADATA_DOUBLE_COMPLETE when it was completed before, or its series dropped it;
 *         ERR_PADATA_CLONE when the value does not fit the slot, cannot be read, or has bytes that were not the job's: the job
 *         still waits then; ERR_PADATA_ARGUMENT when `job` is no such handle
 * @kernel padata_do_serial
 */
export function completeDeferred(job: DeferredJob, value: unknown): void {
  if (!isHandle(job)) throw mistake('job', 'what ctx.defer() has given', job);
  const memory = ringMemory(job.buffer, job.window, job.arenaBytes);
  for (const part of job.parts) memory.arena.add(part);
  const { words } = memory;
  const base = slotWord(job.window, job.sequence);
  const deferred = deferredState(job.window, job.sequence);
  if (Atomics.load(words, base + SLOT.STATE) !== deferred) throw notWaiting(job.seq);
  const offset = words[base + SLOT.FIRST]! + words[base + SLOT.IN_ROOM]!;
  const room = words[base + SLOT.OUT_ROOM]!;
  const given = new JobBytes(memory, base);
  let plain: Uint8Array | undefined;
  if (isPlain(value)) plain = encodeAside(job.seq, value, room, given);
  else if (ArrayBuffer.isView(value) && !mayWrite(value, given)) throw notForSlot(job.seq);
  // RUNNING by nobody: the completer's own until `finish`.
  const state = Atomics.compareExchange(words, base + SLOT.STATE, deferred, SlotState.RUNNING);
  if (state !== deferred) throw notWaiting(job.seq);
  const index = job.sequence & (job.window - 1);
  if (plain !== undefined) writeEncoded(memory, base, plain, offset);
  else if (!writeValue(memory, base, index, value, offset, room, given)) {
    Atomics.store(words, base + SLOT.STATE, deferred);
    const isLong = typeof value === 'string' || ArrayBuffer.isView(value);
    throw isLong ? noRoom(job.seq, room) : notForSlot(job.seq);
  }
  const steps = stepsOf(words);
  steps.finish(words, base);
  Atomics.sub(words, RING.DEFERRED, 1);
  if (steps.mustTell(words, job.control, job.window)) {
    // The owner watches this word while completions are deferred.
    Atomics.notify(job.control, HEAD.OWNER_ASLEEP);
  }
}

/** Of whatever realm, and however it came here. */
function isHandle(job: unknown): job is DeferredJob {
  if (!isObject(job)) return false;
  const { buffer, control, parts, window, arenaBytes, sequence } = job as DeferredJob;
  if (tagOf(buffer) !== '[object SharedArrayBuffer]' || tagOf(control) !== '[object Int32Array]')
    return false;
  const areWhole = isWhole(window) && isWhole(arenaBytes) && isWhole(sequence);
  return areWhole && Array.isArray(parts);
}

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value);
const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

function encodeAside(seq: number, value: object, room: number, given: JobBytes): Uint8Array {
  let plain: Uint8Array | number;
  try {
    plain = encodePlainAside(value, room, given);
  } catch (cause) {
    throw new PadataError(
      'ERR_PADATA_CLONE',
      `the value for job ${seq} cannot be cloned: ${messageOf(cause)}`,
      { seq },
      { cause },
    );
  }
  if (typeof plain !== 'number') return plain;
  throw plain === NO_ROOM ? noRoom(seq, room) : notForSlot(seq);
}

/** May this view be written, where there is room? Its memory may be gone, or show what the job was not given. */
function mayWrite(view: ArrayBufferView, given: JobBytes): boolean {
  return viewRoom(view) >= 0 && given.mayHold(view);
}

function notWaiting(seq: number): PadataError {
  return new PadataError(
    'ERR_PADATA_DOUBLE_COMPLETE',
    `job ${seq} is not waiting for its completion`,
    { seq },
  );
}

function notForSlot(seq: number): PadataError {
  return new PadataError(
    'ERR_PADATA_CLONE',
    `the value for job ${seq} is more than a slot takes (numbers, text, bytes and typed arrays, plain data), or has bytes that were not the job's`,
    { seq },
  );
}

function noRoom(seq: number, room: number): PadataError {
  return new PadataError(
    'ERR_PADATA_CLONE',
    `the value does not fit the ${room} bytes that job ${seq} has for its result`,
    { seq, room },
  );
}

/** Looked through when there are so many, and then when there are twice as many as were left. */
const LOOK_AT = 32;

/**
 * Jobs of one ring that functions of this thread have left to others, and that nobody has completed yet: it may be a timer or a
 * socket of this thread that will, so a thread that is to leave stays for them.
 */
export class HandedOver {
  readonly #words: Int32Array;
  /** Word of the slot's state, and what it says while the job waits: of another job it never says that. */
  #jobs: { readonly at: number; readonly state: number }[] = [];
  #most = LOOK_AT;

  /** @param words of the ring */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  add(at: number, state: number): void {
    this.#jobs.push({ at, state });
    if (this.#jobs.length < this.#most) return;
    this.#most = Math.max(LOOK_AT, 2 * this.count);
  }

  /** Jobs that still wait. */
  get count(): number {
    this.#jobs = this.#jobs.filter(({ at, state }) => Atomics.load(this.#words, at) === state);
    return this.#jobs.length;
  }
}
