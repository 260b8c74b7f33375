/**
 * Is there anybody who could do the jobs? Looks twice a second while jobs are open; when nobody who offers the module
 * was heard for too long, says so.
 */
import type { Roster } from '../server/roster.js';
import type { Engine } from '../server/streams.js';

const CHECK_MS = 500;

/** What is watched, and who is told. */
interface Watched {
  readonly engine: Engine;
  readonly roster: Roster;
  readonly module: string;
  /** Milliseconds without a worker; Infinity = for ever. */
  readonly waitMs: number;
  /** No job is open: nobody is missed. */
  readonly isIdle: () => boolean;
  readonly onNobody: () => void;
}

/** Begins with the first job. */
export class WorkerWatch {
  readonly #watched: Watched;
  #since = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Idempotent. */
  begin(): void {
    if (this.#timer !== undefined || !Number.isFinite(this.#watched.waitMs)) return;
    this.#since = performance.now();
    this.#timer = setInterval(() => {
      this.#look();
    }, CHECK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { engine, roster, module, waitMs, isIdle, onNobody } = this.#watched;
    // Without a server nobody can be heard.
    if (isIdle() || roster.workers(module).length > 0 || engine.nc.isClosed()) {
      this.#since = performance.now();
    } else if (performance.now() - this.#since < waitMs) roster.ask();
    else onNobody();
  }
}
