/** A worker's rings: told by message, scanned in turn. */
import { WORKER, workerBase } from '../protocol/control-layout.js';
import { toErrorRecord } from '../base/errors.js';
import { loadFunction, loadedFunction } from '../base/function-ref.js';
import type { FromWorker, ToWorker } from '../protocol/messages.js';
import type { WorkerInit } from '../crew/platform.js';
import { sleep } from '../protocol/machine.js';
import { RING, ringMemory } from '../protocol/ring-layout.js';
import { SlotRunner } from '../slot/slot-runner.js';

/** What the loop around needs to give. */
interface RingsHost {
  readonly init: WorkerInit;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
  beginAsync(): void;
  endAsync(): void;
  recover(href: string, error: unknown): Promise<boolean>;
}

type HeldJobs = Extract<ToWorker, { t: 'held' }>['jobs'];

/** All rings that one worker serves. */
export class WorkerRings {
  readonly #host: RingsHost;
  readonly #byId = new Map<number, SlotRunner>();
  #list: SlotRunner[] = [];
  /** Jobs that came by message before the ring's module was there. */
  readonly #early = new Map<number, HeldJobs[number][]>();
  #next = 0;

  constructor(host: RingsHost) {
    this.#host = host;
  }

  /** Could this worker reserve something right now? */
  get canWork(): boolean {
    for (const ring of this.#list) if (ring.canWork) return true;
    return false;
  }

  /** Is anything submitted and not delivered? */
  get isBusy(): boolean {
    return this.#list.some((ring) => ring.isBusy);
  }

  define(message: Extract<ToWorker, { t: 'ring' }>): void {
    const { init } = this.#host;
    const memory = ringMemory(message.buffer, message.window, message.arenaBytes);
    const runner = new SlotRunner(message.ring, memory, message.shared, message.stats, {
      worker: init.id,
      control: init.words,
      threads: message.threads,
      clockOffset: performance.timeOrigin - message.timeOrigin,
      post: (m, transfer) => {
        this.#host.post(m, transfer);
      },
      wake: () => {
        this.#host.post({ t: 'wake' });
      },
      beginAsync: () => {
        this.#host.beginAsync();
      },
      endAsync: () => {
        this.#host.endAsync();
      },
      wakeAnother: (words) => {
        this.#wakeAnother(words);
      },
    });
    this.#byId.set(message.ring, runner);
    this.#list = [...this.#byId.values()];
    const fail = (error: unknown): void => {
      this.#host.post({ t: 'ringError', ring: message.ring, error: toErrorRecord(error) });
    };
    try {
      runner.fn = loadedFunction(message.href, message.name);
    } catch (error) {
      fail(error);
      return;
    }
    if (runner.fn !== undefined) return;
    this.#host.beginAsync();
    loadFunction(message.href, message.name, (h, e) => this.#host.recover(h, e))
      .then((fn) => {
        runner.fn = fn;
        const early = this.#early.get(message.ring);
        this.#early.delete(message.ring);
        if (early !== undefined) this.hold(message.ring, early);
      }, fail)
      .finally(() => {
        this.#host.endAsync();
      });
  }

  drop(ring: number): void {
    this.#byId.delete(ring);
    this.#early.delete(ring);
    this.#list = [...this.#byId.values()];
  }

  hold(ring: number, jobs: HeldJobs): void {
    const runner = this.#byId.get(ring);
    if (runner === undefined) return;
    if (runner.fn === undefined) {
      this.#early.set(ring, [...(this.#early.get(ring) ?? []), ...jobs]);
      return;
    }
    for (const [sequence, input] of jobs) runner.runHeld(sequence, input);
  }

  /** One reservation in each ring, in turn; true = something was done. */
  scan(): boolean {
    const list = this.#list;
    let did = false;
    for (let i = 0; i < list.length; i += 1) {
      if (list[(this.#next + i) % list.length]!.scan()) did = true;
    }
    this.#next += 1;
    return did;
  }

  /** Takes one job over that another worker has reserved but not begun. */
  steal(): boolean {
    return this.#list.some((ring) => ring.isBusy && ring.steal());
  }

  #wakeAnother(ring: Int32Array): void {
    const { init } = this.#host;
    for (let w = 1; w <= init.capacity; w += 1) {
      const allowed = (Atomics.load(ring, RING.ALLOWED + (w >>> 5)) >>> (w & 31)) & 1;
      if (w === init.id || allowed === 0) continue;
      const base = workerBase(w);
      if (!sleep.claimSleeper(init.words, base)) continue;
      Atomics.notify(init.words, base + WORKER.SLEEP);
      return;
    }
  }
}
