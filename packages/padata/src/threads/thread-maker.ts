/**
 * Makes the threads of a pool, and says whose fault it is when that cannot be done.
 *
 * A thread takes longer to boot than all that leads it takes to read and to make. So the first is started ahead, and handed over
 * when it is asked for: in the same turn of the event loop, before it can have said anything.
 */
import { messageOf, toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { newMember } from './member.js';
import type { Control, Member } from './member.js';
import type { Platform, ThreadFactory, WearLimits, WorkerEnd } from './platform.js';
import type { SetupPlan } from './thread-setup.js';
import { clearWords } from './thread-words.js';

/** How threads are made. */
export interface ThreadOptions {
  readonly name: string;
  readonly idle: 'block' | 'loop';
  readonly execArgv: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly resourceLimits: Readonly<Record<string, number>> | undefined;
  readonly factory: ThreadFactory | undefined;
  readonly wear: WearLimits | undefined;
}

/** One of them. */
interface ThreadWish {
  readonly id: number;
  /** It is there to import a suspect and end. */
  readonly isProof: boolean;
  readonly setup: SetupPlan | undefined;
}

/** Whom threads tell. */
interface Listener {
  onMessage(member: Member, message: unknown): void;
  onEnd(member: Member, end: WorkerEnd): void;
}

/** Codes of errors that are about options, not about threads. */
const MISTAKES = /^ERR_(WORKER_INVALID_EXEC_ARGV|INVALID_ARG|OUT_OF_RANGE)/;

/** Makes those of one pool. */
export class ThreadMaker {
  /** The memory that they and their owner look into. */
  readonly control: Control;
  readonly #platform: Platform;
  readonly #options: ThreadOptions;
  #listener: Listener | undefined;
  /** A thread was made. */
  #hasMade = false;
  /** Was started, and nobody has asked for it. */
  #ahead: Member | undefined;

  constructor(platform: Platform, control: Control, options: ThreadOptions) {
    this.#platform = platform;
    this.control = control;
    this.#options = options;
  }

  /**
   * Starts the thread that is asked for first, before anybody listens. Where it cannot be made, whoever asks for it hears of that.
   * @throws ERR_PADATA_ARGUMENT, as `make`
   */
  startAhead(id: number, setup: SetupPlan | undefined): void {
    this.#ahead = this.make({ id, isProof: false, setup }, () => undefined);
  }

  /** Ends what was started ahead and not asked for. */
  endAhead(): void {
    void this.#ahead?.platform.terminate();
    this.#ahead = undefined;
  }

  /** Whom they tell, from the first turn of the event loop on. */
  tell(listener: Listener): void {
    this.#listener = listener;
  }

  /**
   * Starts a thread, or hands over the one that was started ahead.
   * @param failed called with the reason when it cannot be made
   * @throws ERR_PADATA_ARGUMENT a mistake of the caller's, if it shows at once: later there is nobody to throw it to
   */
  make(wish: ThreadWish, failed: (error: unknown) => void): Member | undefined {
    const ahead = this.#ahead;
    if (ahead?.id === wish.id && !wish.isProof) {
      this.#ahead = undefined;
      return ahead;
    }
    clearWords(this.control.words, wish.id);
    try {
      const member = this.#start(wish);
      this.#hasMade = true;
      return member;
    } catch (error) {
      if (error instanceof PadataError && !this.#hasMade) throw error;
      const { code } = toErrorRecord(error);
      if (code !== undefined && MISTAKES.test(code)) {
        throw new PadataError(
          'ERR_PADATA_ARGUMENT',
          `threads do not start with these options: ${messageOf(error)}`,
          { code },
          { cause: error },
        );
      }
      failed(error);
      return undefined;
    }
  }

  #start({ id, isProof, setup }: ThreadWish): Member {
    const { name, idle, execArgv, env, resourceLimits, factory, wear } = this.#options;
    const box: { member?: Member } = {};
    const thread = this.#platform.startWorker(
      { ...this.control, id, idle, setup, wear },
      {
        name: `${name}-${id}`,
        execArgv,
        env,
        resourceLimits,
        factory,
        onMessage: (message) => {
          if (box.member !== undefined) this.#listener?.onMessage(box.member, message);
        },
        onEnd: (end) => {
          if (box.member !== undefined) this.#listener?.onEnd(box.member, end);
        },
      },
    );
    box.member = newMember(id, thread, isProof);
    return box.member;
  }
}
