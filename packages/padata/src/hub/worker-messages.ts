/** What threads say of rings, and the calling thread's own runners too: each message goes to whom it concerns. */
import { fromErrorRecord } from '../base/error-record.js';
import type { ErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { performance } from '../base/host-time.js';
import type { Crew } from '../crew/crew.js';
import type { FromWorker } from '../protocol/messages.js';
import type { RingStore } from '../ring/ring-store.js';
import type { Member } from '../threads/member.js';
import type { DeferredWatch } from '../turns/deferred-watch.js';
import type { Feeder } from '../turns/feeder.js';
import type { OwnerTurns } from '../turns/owner-turns.js';
import type { RingEntry } from '../turns/ring-entry.js';
import { anyDeferred } from './demand.js';
import { sharedError } from './own-shared.js';

/** Whom messages may concern. */
interface Recipients {
  readonly crew: Crew;
  readonly entries: ReadonlyMap<number, RingEntry>;
  readonly turns: OwnerTurns;
  readonly feeder: Feeder;
  readonly store: RingStore;
  readonly deferred: DeferredWatch;
}

/** Routes the messages of one pool. */
export class WorkerMessages {
  readonly #to: Recipients;

  constructor(to: Recipients) {
    this.#to = to;
  }

  /** Takes one; member undefined = from the owner's own runner. */
  take(member: Member | undefined, message: FromWorker): void {
    const { entries, turns, store } = this.#to;
    switch (message.t) {
      case 'wake':
        turns.deliverAll();
        break;
      case 'result':
      case 'jobFailed':
        entries.get(message.ring)?.ring.onReply(message);
        turns.scheduleDelivery();
        break;
      case 'progress':
        entries.get(message.ring)?.ring.onProgress(message);
        break;
      case 'output':
        entries.get(message.ring)?.ring.onOutput(message);
        break;
      case 'deferred':
        this.#watchDeferred();
        break;
      case 'dropped':
        if (member !== undefined) store.onDropped(message.ring, member);
        break;
      case 'idle':
        this.#onIdle(member, message.ring);
        break;
      case 'ended':
        entries.get(message.ring)?.ring.ends.functionEnded(message.seq);
        break;
      case 'ringError':
        this.#onRingError(member, message);
        break;
    }
  }

  #watchDeferred(): void {
    const { deferred, entries, turns } = this.#to;
    deferred.begin(
      () => anyDeferred(entries.values()),
      () => {
        turns.deliverAll();
      },
    );
  }

  /** A thread has nothing to do. */
  #onIdle(member: Member | undefined, id: number): void {
    const { crew, entries, feeder } = this.#to;
    const ring = entries.get(id)?.ring;
    if (ring === undefined || member?.state !== 'ready' || crew.isAlone) return;
    feeder.giveTo(ring, member, performance.now());
  }

  /** A thread cannot load the ring's function, or cannot read what is shared. */
  #onRingError(
    member: Member | undefined,
    { ring, error }: Extract<FromWorker, { t: 'ringError' }>,
  ): void {
    const entry = this.#to.entries.get(ring);
    if (entry === undefined) return;
    entry.ring.breakWith(brokenBy(entry, member?.id ?? 0, error));
    this.#to.turns.scheduleDelivery();
  }
}

/** Why a thread cannot run the jobs of a ring. */
function brokenBy({ href, name }: RingEntry, worker: number, record: ErrorRecord): PadataError {
  const cause = fromErrorRecord(record);
  if (record.code === 'ERR_PADATA_CLONE') return sharedError(cause);
  return new PadataError(
    'ERR_PADATA_MODULE',
    `worker ${worker} cannot load ${name} of ${href}: ${record.message}`,
    { module: href, name, worker },
    { cause },
  );
}
