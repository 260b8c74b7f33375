/**
 * Modules on their way into the threads: each thread is asked by message and answers when it has imported the
 * module, cannot, or has ended.
 */
import { PadataError, fromErrorRecord } from '../base/errors.js';
import type { FromWorker } from '../protocol/messages.js';
import type { Crew, Member } from './crew.js';
import type { WorkerEnd } from './platform.js';

interface Load {
  readonly worker: number;
  resolve(): void;
  reject(error: PadataError): void;
}

/** The loads of one pool that are not answered yet. */
export class ModuleLoads {
  readonly #crew: Crew;
  readonly #pending = new Map<number, Load>();
  #next = 1;

  constructor(crew: Crew) {
    this.#crew = crew;
  }

  /** Imports a function's module in every thread. @throws ERR_PADATA_MODULE, ERR_PADATA_WORKER_DIED */
  async loadEverywhere(href: string, name: string): Promise<void> {
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
      this.#take(id)?.reject(
        new PadataError(
          'ERR_PADATA_WORKER_DIED',
          `worker ${worker} ended while it loaded a module`,
          { worker, exitCode },
          { cause: error },
        ),
      );
    }
  }

  #loadIn(member: Member, href: string, name: string): Promise<void> {
    const id = this.#next++;
    return new Promise<void>((resolve, reject) => {
      this.#pending.set(id, { worker: member.id, resolve, reject });
      this.#crew.post(member, { t: 'load', id, href, name });
    });
  }

  #take(id: number): Load | undefined {
    const load = this.#pending.get(id);
    this.#pending.delete(id);
    return load;
  }
}
