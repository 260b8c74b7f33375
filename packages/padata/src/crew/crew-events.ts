/** What a crew tells its pool. Types only. */
import type { PadataError } from '../base/errors.js';
import type { FromWorker } from '../protocol/messages.js';
import type { Member } from '../threads/member.js';
import type { WorkerEnd } from '../threads/platform.js';

/** What the pool wants to know. */
export interface CrewEvents {
  onMessage(member: Member, message: FromWorker): void;
  onReady(member: Member): void;
  /** A thread is being started. */
  onStart(member: Member): void;
  /**
   * Called before a replacement is started; `expected` when the thread was asked to leave.
   * @returns whether it had work at hand
   */
  onEnd(member: Member, end: WorkerEnd, expected: boolean): boolean;
  /** A module has ended too many threads that imported it. */
  onGivenUp(error: PadataError): void;
  /** A thread could not be set up, or what was set up not be torn down. */
  onTrouble(error: PadataError): void;
  /** A thread that could not be set up is missing from now on, or no more. */
  onMissing(): void;
  /** No thread can be set up. */
  onSetupGivenUp(error: PadataError): void;
  /** There are no threads and will be none: everything runs on the calling thread. */
  onNoThreads(): void;
  /** Something is under way that keeps the process alive, after nothing was; or the other way round. */
  onHeld(): void;
  /** A thread that was to leave if it had nothing to do goes on; `isCounted`: it was to be replaced, so their number is the same. */
  onStays(isCounted: boolean): void;
}
