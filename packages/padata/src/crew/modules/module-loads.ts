/**
 * Modules on their way into the threads: each thread is asked by message and answers when it has imported the
 * module or cannot. A thread that ends first answers no more: whoever takes its place is asked again, a few times.
 */
import { fromErrorRecord } from '../../base/error-record.js';
import { PadataError } from '../../base/errors.js';
import type { FromWorker } from '../../protocol/messages.js';
import type { Crew } from '../crew.js';
import type { Member } from '../../threads/member.js';
import type { WorkerEnd } from '../../threads/platform.js';

interface Load {
  readonly worker: number;
  readonly href: string;
  readonly name: string;
  tries: number;
  resolve(): void;
  reject(error: PadataError): void;
}

/** Threads of one place that may end while a load waits for their answer. */
const MAX_TRIES = 5;

/** The loads of one pool that are not answered yet. */
export class ModuleLoads {
  readonly #crew: Crew;
  readonly #pending = new Map<number, Load>();
  #next = 1;
  /** Why no thread answers any more. */
  #closed: PadataError | undefined;

  constructor(crew: Crew) {
    this.#crew = crew;
  }

  /** Imports a function's module in every thread. @throws ERR_PADATA_MODULE, ERR_PADATA_WORKER_DIED, ERR_PADATA_CLOSED */
  async loadEverywhere(href: string, name: string): Promise<void> {
    const error = this.#closed ?? this.#crew.setupError;
    if (error !== undefined) throw error;
    this.#crew.ref();
    try {
      const loads: Promise<void>[] = [];
      for (const member of this.#crew.members()) loads.push(this.#loadIn(member, href, name));
      await Promise.all(loads);
    } finally {
      this.#crew.unref();
    }
  }

  /** Takes a thread's answer. */
  onLoaded(member: Member, { id, error }: Extract<FromWorker, { t: 'loaded' }>): void {
    const load = this.#take(id);
    if (error === undefined) load?.resolve();
    else {
      const cause = fromErrorRecord(error);
      const { id: worker } = member;
      load?.reject(new PadataError('ERR_PADATA_MODULE', error.message, { worker }, { cause }));
    }
  }

  /** A thread has ended: it answers no more. */
  onEnd(worker: number, { exitCode, error }: WorkerEnd): void {
    for (const [id, load] of [...this.#pending]) {
      if (load.worker !== worker) continue;
      const givenUp = this.#crew.modules.error(load.href);
      load.tries += 1;
      if (givenUp !== undefined) this.#take(id)?.reject(givenUp);
      else if (load.tries >= MAX_TRIES) {
        this.#take(id)?.reject(
          new PadataError(
            'ERR_PADATA_WORKER_DIED',
            `worker ${worker} ended while it loaded a module, ${MAX_TRIES} times`,
            { worker, exitCode },
            { cause: error },
          ),
        );
      }
    }
  }

  /** A thread was started: it is asked what its predecessor did not answer. */
  onStart(member: Member): void {
    const asked = [...this.#pending]
      .filter(([, { worker }]) => worker === member.id)
      .map(([id, load]) => ({ id, load, href: load.href }));
    for (const { id, load } of this.#crew.modules.inOrder(asked)) this.#ask(member, id, load);
  }

  /** Threads that are not wanted any more need not load anything. */
  onResize(): void {
    for (const [id, { worker }] of [...this.#pending]) {
      if (this.#crew.isAlone || !this.#crew.isWanted(worker)) this.#take(id)?.resolve();
    }
  }

  /** Does this thread owe an answer? */
  isAsked(worker: number): boolean {
    for (const load of this.#pending.values()) if (load.worker === worker) return true;
    return false;
  }

  /** No thread answers any more. */
  close(error: PadataError): void {
    this.#closed = error;
    this.giveUp(error);
  }

  /** No thread answers those that wait now. */
  giveUp(error: PadataError): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  #loadIn(member: Member, href: string, name: string): Promise<void> {
    const givenUp = this.#crew.modules.error(href);
    if (givenUp !== undefined) return Promise.reject(givenUp);
    const id = this.#next++;
    return new Promise<void>((resolve, reject) => {
      const load = { worker: member.id, href, name, tries: 0, resolve, reject };
      this.#pending.set(id, load);
      this.#ask(member, id, load);
    });
  }

  #ask(member: Member, id: number, { href, name }: Load): void {
    const aloneMs = this.#crew.modules.aloneMs(href);
    this.#crew.post(member, { t: 'load', id, href, name, aloneMs });
  }

  #take(id: number): Load | undefined {
    const load = this.#pending.get(id);
    this.#pending.delete(id);
    return load;
  }
}
