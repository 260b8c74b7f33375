/** Makes the threads of a pool, and says whose fault it is when that cannot be done. */
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
  readonly #platform: Platform;
  readonly #control: Control;
  readonly #options: ThreadOptions;
  readonly #listener: Listener;
  /** A thread was made. */
  #hasMade = false;

  constructor(platform: Platform, control: Control, options: ThreadOptions, listener: Listener) {
    this.#platform = platform;
    this.#control = control;
    this.#options = options;
    this.#listener = listener;
  }

  /**
   * Starts a thread.
   * @param failed called with the reason when it cannot be made
   * @throws ERR_PADATA_ARGUMENT a mistake of the caller's, if it shows at once: later there is nobody to throw it to
   */
  make(wish: ThreadWish, failed: (error: unknown) => void): Member | undefined {
    clearWords(this.#control.words, wish.id);
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
    const listener = this.#listener;
    const box: { member?: Member } = {};
    const thread = this.#platform.startWorker(
      { ...this.#control, id, idle, setup, wear },
      {
        name: `${name}-${id}`,
        execArgv,
        env,
        resourceLimits,
        factory,
        onMessage: (message) => {
          if (box.member !== undefined) listener.onMessage(box.member, message);
        },
        onEnd: (end) => {
          if (box.member !== undefined) listener.onEnd(box.member, end);
        },
      },
    );
    box.member = newMember(id, thread, isProof);
    return box.member;
  }
}
