/**
 * Workers that are there: each says so once a second and when it is asked, nobody keeps a list on the server.
 */
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Names } from '../wire/names.js';

/** Time between two signs of life, in milliseconds. */
export const HERE_EVERY_MS = 1000;
/** Time without a sign after which a worker counts as gone, in milliseconds. */
const GONE_AFTER_MS = 3500;

/** Threads of a worker, characters of a text, and workers, at most: whoever may publish may say anything. */
const MOST_THREADS = 65_536;
const LONGEST_TEXT = 4096;
const MOST_WORKERS = 10_000;

/** What a worker says of itself. */
export interface WorkerPresence {
  /** Unlike every other worker's. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Threads of its local pool. */
  readonly threads: number;
  /** Modules that it offers, by the names that submitters use. */
  readonly modules: readonly string[];
  /** Messages that it holds. */
  readonly jobs: number;
  /** Runs that they are of. */
  readonly runs: readonly string[];
  /** Messages that it would take besides. */
  readonly free: number;
  /** It is about to leave and takes no new jobs. */
  readonly leaving: boolean;
}

/** The workers of a prefix, as far as they were heard. */
export class Roster {
  readonly #nc: NatsConnection;
  readonly #names: Names;
  readonly #seen = new Map<string, { presence: WorkerPresence; at: number }>();
  readonly #subscription: Subscription;

  constructor(nc: NatsConnection, names: Names) {
    this.#nc = nc;
    this.#names = names;
    this.#subscription = nc.subscribe(names.here, {
      callback: (_error, message) => {
        const presence = parsePresence(message.data);
        if (presence !== undefined) this.note(presence, performance.now());
      },
    });
    this.ask();
  }

  /** Asks all workers to say that they are there. */
  ask(): void {
    if (!this.#nc.isClosed()) this.#nc.publish(this.#names.who);
  }

  /** Takes a sign of life in. */
  note(presence: WorkerPresence, now: number): void {
    if (this.#seen.size >= MOST_WORKERS && !this.#seen.has(presence.id)) {
      this.workers(undefined, now);
      if (this.#seen.size >= MOST_WORKERS) return;
    }
    this.#seen.set(presence.id, { presence, at: now });
  }

  /** Workers that were heard lately and stay, those with this module only. */
  workers(module?: string, now = performance.now()): WorkerPresence[] {
    const there: WorkerPresence[] = [];
    for (const [id, { presence, at }] of this.#seen) {
      if (now - at > GONE_AFTER_MS) this.#seen.delete(id);
      else if (presence.leaving) continue;
      else if (module === undefined || presence.modules.includes(module)) there.push(presence);
    }
    return there;
  }

  /** Does a worker hold messages of a run, be it one that leaves? */
  holds(run: string, now = performance.now()): boolean {
    for (const { presence, at } of this.#seen.values()) {
      if (now - at <= GONE_AFTER_MS && presence.runs.includes(run)) return true;
    }
    return false;
  }

  /** Threads of all workers that offer a module. */
  threads(module: string): number {
    return this.workers(module).reduce((sum, { threads }) => sum + threads, 0);
  }

  /** Stops listening. */
  close(): void {
    this.#subscription.unsubscribe();
  }
}

/** The message that says that a worker is there. */
export function encodePresence(presence: WorkerPresence): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(presence));
}

/** What a worker said; undefined for anything else that came on the subject. */
export function parsePresence(data: Uint8Array): WorkerPresence | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, host, pid, threads, modules, jobs, runs, free, leaving } = value as Record<
    string,
    unknown
  >;
  if (!isText(id) || !isText(host) || !isCount(pid)) return undefined;
  if (!isCount(threads) || threads > MOST_THREADS || !Array.isArray(modules)) return undefined;
  return {
    id,
    host,
    pid,
    threads,
    modules: textsOf(modules),
    jobs: isCount(jobs) ? jobs : 0,
    runs: Array.isArray(runs) ? textsOf(runs) : [],
    free: isCount(free) ? free : 0,
    leaving: leaving === true,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function textsOf(list: readonly unknown[]): string[] {
  return list.filter(isText);
}
