/**
 * A thread that learns of the end of others, for systems that do not tell (all but Linux, see thread-proof.ts).
 *
 *     owner ── watch(id): port ──▶ worker ── ends, however ──▶ the engine closes its ports
 *       │ blocks in a lock                                           │ 'close' at the other end
 *       └◀── the waiter's next look finds it ◀── id is DEAD ◀── guardian thread
 *
 * The event reaches the guardian's own event loop, so it does not matter that whoever started the worker is blocked. The
 * engine closes the ports of a thread when none of its JavaScript runs any more: this is proof, as /proc is. It costs
 * nothing where it is not used, and a message a thread where it is.
 *
 * A worker that is ended before it ran at all has not attached, so it holds nothing; its port stays open until its owner
 * hears of the exit.
 */
import { MemmapError } from '../facts/errors.js';
import type { Watched } from './guardian-worker.js';
import { tagOfUser, wordOf } from './thread-protocol.js';
import type { ThreadRegistry } from './thread-registry.js';

type Threads = typeof import('node:worker_threads');

/** Node's module, without an import that a bundler for browsers would see. */
function threadsOfHost(): Threads {
  const host = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process;
  const found = host?.getBuiltinModule?.('node:worker_threads') as Threads | undefined;
  if (found !== undefined) return found;
  throw new MemmapError('ERR_MEMMAP_STORAGE', 'a guardian needs the threads of Node', {});
}

/** A message port as the program's own types know it. */
type Port = typeof globalThis extends { MessagePort: { prototype: infer P } } ? P : object;

/** Watches over threads of one registry. */
export class ThreadGuardian {
  readonly #worker: InstanceType<Threads['Worker']>;
  readonly #threads: Threads;
  readonly #registry: ThreadRegistry;

  private constructor(
    worker: InstanceType<Threads['Worker']>,
    threads: Threads,
    registry: ThreadRegistry,
  ) {
    this.#worker = worker;
    this.#threads = threads;
    this.#registry = registry;
  }

  /**
   * Starts the thread; it keeps no program from ending.
   * @throws ERR_MEMMAP_STORAGE where there are no threads of Node; what starting a thread throws
   */
  static async start(registry: ThreadRegistry): Promise<ThreadGuardian> {
    const threads = threadsOfHost();
    const worker = new threads.Worker(new URL('./guardian-worker.js', import.meta.url), {
      workerData: registry.toHandle().words,
      execArgv: [],
      stdin: false,
    });
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    worker.unref();
    return new ThreadGuardian(worker, threads, registry);
  }

  /**
   * A port for the thread that has the id, or that it is reserved for. Give it to that worker and to nobody else, in
   * `workerData` and `transferList`: it need not look at it, and must neither close it nor pass it on. When the thread has
   * ended it counts as dead at once; say {@link ThreadRegistry.markDead} or the like at its `exit` all the same.
   * @throws ERR_MEMMAP_ARGUMENT when nobody has the id, or its thread has ended
   */
  watch(id: number): Port {
    const { words } = this.#registry.toHandle();
    const known = Number.isInteger(id) && id >= 1 && id <= this.#registry.maxThreads;
    const tag = known ? tagOfUser(Atomics.load(words, wordOf(id)), id) : 0;
    if (tag === 0) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', 'expected the id of a thread that lives', {
        id: typeof id === 'number' ? id : typeof id,
      });
    }
    const { port1, port2 } = new this.#threads.MessageChannel();
    const watched: Watched = { port: port1, tag };
    this.#worker.postMessage(watched, [port1]);
    // Where the types of a page are known too, theirs is meant by the name.
    const theirs: unknown = port2;
    return theirs as Port;
  }

  /** Ends the guardian; threads are watched no more. Idempotent. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
