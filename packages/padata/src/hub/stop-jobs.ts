/**
 * Ending jobs that were asked to stop and did not, owner's side.
 *
 * ```
 *   asked ── graceMs ──▶ promise pending ────────────▶ settle and abandon; its thread retires
 *                   ├──▶ function keeps the thread ──▶ the thread stood still: end it
 *                   ├──▶ its completion was left to others ─▶ settle: they may never come
 *                   └──▶ neither (it has just ended) ─▶ look again
 *   retires: takes no more work, ends when its neighbours have ended, is replaced. Stands still meanwhile ──▶ end it
 * ```
 * A pending promise blocks no thread, so it costs no neighbour anything. A thread stands still when its turn counter
 * did not move for `graceMs` although it was woken: then a function keeps it, and whatever else is pending there
 * cannot end either. While that function is a job that nobody has cancelled, the thread is let alone.
 */
import { setTimeout } from '../base/host-time.js';
import type { Crew } from '../crew/crew.js';
import type { Member } from '../threads/member.js';
import { STATE_BITS, isPending } from '../protocol/ring-layout.js';
import type { JobRing } from '../ring/job-ring.js';

/** A job is looked at again, and a retiring thread is watched, at most so often, in milliseconds. */
const LOOK_MS = 10;
const WATCH_MS = 500;

/** What stopping needs of the rings. */
interface StopperHost {
  /** The owner has no threads: nothing else keeps the process alive. */
  readonly inline: boolean;
  /** Something is to be delivered. */
  scheduleDelivery(): void;
  /** The calling thread waits for the promise of this job no longer. */
  abandonHere(ring: JobRing, sequence: number): void;
  /** Does this worker run a job, without a pause, that nobody has cancelled? */
  keepsBusy(worker: number): boolean;
}

/** A job that was asked to stop. */
interface Asked {
  readonly ring: JobRing;
  readonly sequence: number;
  readonly graceMs: number;
  readonly error: unknown;
}

/** Stops jobs and threads of one pool. */
export class JobStopper {
  readonly #crew: Crew;
  readonly #host: StopperHost;
  /** Retiring threads that are watched. */
  readonly #watched = new Set<Member>();

  constructor(crew: Crew, host: StopperHost) {
    this.#crew = crew;
    this.#host = host;
  }

  /** The job was asked to stop: after the grace time it ends without its function. */
  stopLater(asked: Asked): void {
    const state = asked.ring.ends.begunState(asked.sequence);
    if (state === undefined) {
      this.#endDeferred(asked);
      return;
    }
    const worker = state >> STATE_BITS;
    // Undefined: the thread is free, so what would keep it then has begun later.
    const turn = isPending(state) ? undefined : this.#crew.turnOf(worker);
    this.#after(asked.graceMs, () => {
      this.#stop(asked, worker, turn);
    });
  }

  #stop(asked: Asked, worker: number, turn: number | undefined): void {
    const { ring, sequence, graceMs, error } = asked;
    const state = ring.ends.begunState(sequence);
    if (state === undefined) {
      this.#endDeferred(asked);
      return;
    }
    if (ring.ends.abandon(sequence, error)) {
      this.#host.scheduleDelivery();
      this.#retire(state >> STATE_BITS, ring, sequence, graceMs);
      return;
    }
    if (worker !== 0 && state >> STATE_BITS === worker && this.#crew.turnOf(worker) === turn) {
      this.#crew.terminate(worker);
      return;
    }
    this.stopLater({ ...asked, graceMs: Math.max(graceMs, LOOK_MS) });
  }

  /** The function has returned meanwhile, and left the completion to whoever has the handle. */
  #endDeferred({ ring, sequence, error }: Asked): void {
    if (ring.ends.endDeferred(sequence, error)) this.#host.scheduleDelivery();
  }

  #retire(worker: number, ring: JobRing, sequence: number, graceMs: number): void {
    if (worker === 0) {
      this.#host.abandonHere(ring, sequence);
      return;
    }
    const member = this.#crew.member(worker);
    if (member === undefined) return;
    this.#crew.post(member, { t: 'abandon', ring: ring.id, seq: sequence >>> 0 });
    this.#crew.retire(member);
    if (this.#watched.has(member)) return;
    this.#watched.add(member);
    this.#watch(member, Math.max(graceMs, WATCH_MS));
  }

  #watch(member: Member, everyMs: number): void {
    const turn = this.#crew.turnOf(member.id);
    this.#crew.nudge(member.id);
    this.#after(everyMs, () => {
      if (this.#crew.member(member.id) !== member) {
        this.#watched.delete(member);
        return;
      }
      const stands = this.#crew.turnOf(member.id) === turn;
      if (stands && !this.#host.keepsBusy(member.id)) {
        this.#watched.delete(member);
        this.#crew.terminate(member.id);
      } else this.#watch(member, everyMs);
    });
  }

  /** Jobs in flight keep the process alive through their threads; without threads the timer has to. */
  #after(ms: number, then: () => void): void {
    const timer = setTimeout(then, ms);
    if (!this.#host.inline) (timer as { unref?: () => void }).unref?.();
  }
}
