/**
 * How the threads of a pool are set up, seen from its crew: which of them can be used, and what becomes of one that cannot be.
 *
 * ```
 *   hello ─▶ begins ─┬─ done ─────────────────────────────────────────────▶ ready
 *                    └─ failed ─▶ leaves, missing ─┬─ others are set up ──▶ a new thread tries, later and later
 *                                                  └─ none is, too often ─▶ given up: all leave
 * ```
 */
import type { PadataError } from '../../base/errors.js';
import type { FromWorker } from '../../protocol/messages.js';
import type { Member } from '../../threads/member.js';
import type { WorkerEnd } from '../../threads/platform.js';
import { SetupWatch } from '../../threads/setup-watch.js';
import type { SetupOptions } from '../../threads/setup-watch.js';
import type { SetupPlan } from '../../threads/thread-setup.js';
import type { CrewEvents } from '../crew-events.js';
import { MissingThreads } from './missing-threads.js';

/** The crew that they belong to. */
interface SettingCrew {
  /** Threads wanted. */
  readonly target: number;
  /** Threads that are set up. */
  readonly readyCount: number;
  member(id: number): Member | undefined;
  members(): Iterable<Member>;
  terminate(id: number): void;
  retire(member: Member): void;
}

/** What it alone knows and does. */
interface CrewWays {
  isClosing(): boolean;
  /** The thread may be given work. */
  isReady(member: Member): void;
}

/** Those of one pool. */
export class Setups {
  /** Undefined = threads have nothing to set up. */
  readonly #watch: SetupWatch | undefined;
  readonly #missing = new MissingThreads();
  readonly #crew: SettingCrew;
  readonly #events: CrewEvents;
  readonly #ways: CrewWays;

  constructor(
    options: SetupOptions | undefined,
    crew: SettingCrew,
    events: CrewEvents,
    ways: CrewWays,
  ) {
    this.#crew = crew;
    this.#events = events;
    this.#ways = ways;
    if (options !== undefined) this.#watch = this.#watchFor(options);
  }

  /** Have threads something to set up? */
  get areNeeded(): boolean {
    return this.#watch !== undefined;
  }

  /** What they set up. */
  get plan(): SetupPlan | undefined {
    return this.#watch?.plan;
  }

  /** Why no thread is set up any more; undefined = they are. */
  get error(): PadataError | undefined {
    return this.#watch?.error;
  }

  /** Why the calling thread is not to be set up. */
  get refusal(): PadataError | undefined {
    return this.#watch?.refusal;
  }

  /** Why one of those that are wanted cannot be set up, while others are; undefined = all may be. */
  trouble(isWanted: (id: number) => boolean): PadataError | undefined {
    return this.#missing.trouble(isWanted);
  }

  /** Of these threads those that can be used. */
  usable(ids: readonly number[]): readonly number[] {
    return this.#missing.without(ids);
  }

  /** Someone asks anew: one more try. @returns whether it was given up */
  tryAgain(): boolean {
    return this.#watch?.tryAgain() === true;
  }

  /** The thread runs, and sets itself up. */
  begins(member: Member): void {
    this.#watch!.begins(member);
  }

  /** What the thread says of it. */
  onMessage(
    member: Member,
    message: Extract<FromWorker, { t: 'setUp' | 'tearDown' | 'tornDown' }>,
  ): void {
    this.#watch?.onMessage(member, message);
  }

  /** It tears down, and has time left for that. */
  isTearingDown(member: Member): boolean {
    return this.#watch?.isTearingDown(member) === true;
  }

  /** The thread has ended. */
  ended(member: Member, end: WorkerEnd): void {
    if (member.state === 'settingUp' && !this.#ways.isClosing()) {
      this.#failed(member, this.#watch!.died(member.id, end));
    }
    this.#watch?.ended(member, end);
  }

  /** Its end, which comes by itself, is no wish of the owner's. */
  #failed(member: Member, error: PadataError): void {
    const crew = this.#crew;
    // One that was to leave anyway is missed by nobody.
    member.failed = member.state !== 'leaving';
    member.state = 'leaving';
    this.#events.onTrouble(error);
    if (this.#ways.isClosing() || !member.failed) return;
    this.#missing.failed(member.id, error);
    this.#events.onMissing();
    if (!this.#watch!.failed(error, crew.target, crew.readyCount > 0)) return;
    this.#missing.clear();
    for (const other of crew.members()) crew.retire(other);
    this.#events.onSetupGivenUp(error);
  }

  #watchFor(options: SetupOptions): SetupWatch {
    const crew = this.#crew;
    return new SetupWatch(options, {
      terminate: (worker) => {
        crew.terminate(worker);
      },
      onDone: (worker) => {
        const member = crew.member(worker)!;
        if (member.state === 'settingUp') member.state = 'ready';
        if (this.#missing.found(worker)) this.#events.onMissing();
        this.#ways.isReady(member);
      },
      onFailed: (worker, error) => {
        this.#failed(crew.member(worker)!, error);
      },
      onTeardownFailed: (error) => {
        this.#events.onTrouble(error);
      },
    });
  }
}
