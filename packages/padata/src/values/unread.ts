/**
 * Values that cannot be read where they arrive. A message with a value may be written well and not read: the value nests deeper than
 * the stack of that thread allows, or its bytes find no memory there. The platform then says that a message was lost, and not which.
 * So before one with a heavy value goes another that says what holds in its place, and the order of messages does the rest:
 *
 * ```
 *   ifUnread(M') ─▶ M        read well: M' is forgotten
 *   ifUnread(M') ─▶ unread   M' holds: that job, chunk or series ends with ERR_PADATA_CLONE
 * ```
 */
import { withoutValues } from '../base/error-record.js';
import type { ErrorRecord } from '../base/error-record.js';
import { isHeavy } from './heavy.js';
import type { FromWorker, SentJob, ToWorker } from '../protocol/messages.js';

/** What a platform gives in place of a message that it could not read. */
export const UNREAD = { t: 'unread' } as const;

/** Stands for an input that could not be read. No message can hold it. */
export const UNREAD_INPUT = Symbol('unread input');

/** Goes before a message that may not be readable; without `instead` that one is left out then. */
export interface IfUnread<M> {
  readonly t: 'ifUnread';
  readonly instead: M | undefined;
}

/** What arrives. */
export type Arrived<M> = M | IfUnread<M> | typeof UNREAD;

/** Says what each message is, in order. */
export class Readings<M extends { readonly t: string }> {
  #ahead: IfUnread<M> | undefined;

  /**
   * The message that holds.
   * @returns undefined = none: it was only one of what would hold, or what was lost is left out
   * @throws Error when a message was lost of which nothing was said before
   */
  of(message: Arrived<M>): M | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (isAhead(message)) {
      this.#ahead = message;
      return undefined;
    }
    if (message !== UNREAD) return message as M;
    if (ahead === undefined) throw new Error('a message between threads could not be read');
    return ahead.instead;
  }
}

function isAhead<M>(message: Arrived<M>): message is IfUnread<M> {
  return (message as { readonly t: string }).t === 'ifUnread';
}

/**
 * What goes before this message; undefined = nothing has to.
 * @param worker whose it is
 */
export function fromWorkerAhead(
  message: FromWorker,
  worker: number,
): IfUnread<FromWorker> | undefined {
  switch (message.t) {
    case 'result': {
      if (!isHeavy(message.value)) return undefined;
      const { ring, seq } = message;
      return ahead({ t: 'jobFailed', ring, seq, worker, error: refused('the result') });
    }
    case 'value': {
      if (!isHeavy(message.value)) return undefined;
      const { lane, gate, index } = message;
      return ahead({ t: 'fail', lane, gate, index, error: refused('the value') });
    }
    case 'progress':
      return isHeavy(message.value) ? ahead<FromWorker>(undefined) : undefined;
    case 'jobFailed':
    case 'fail':
    case 'jobError':
    case 'ringError':
    case 'loaded':
    case 'setUp':
    case 'tearDown':
      if (message.error === undefined || !isHeavy(message.error)) return undefined;
      return ahead({ ...message, error: withoutValues(message.error) });
    default:
      return undefined;
  }
}

/** The same of a message to a worker. */
export function toWorkerAhead(message: ToWorker): IfUnread<ToWorker> | undefined {
  switch (message.t) {
    case 'inputs':
      if (!message.jobs.some(hasHeavyInput)) return undefined;
      return ahead({
        ...message,
        jobs: message.jobs.map(([seq]) => [seq, undefined]),
        unread: true,
      });
    case 'ring':
      return isHeavy(message.shared)
        ? ahead({ ...message, shared: undefined, unread: true })
        : undefined;
    case 'job':
      return isHeavy(message.arg) ? ahead({ ...message, arg: undefined, unread: true }) : undefined;
    default:
      return undefined;
  }
}

/** Jobs of a message, each with its input or with `UNREAD_INPUT`. */
export function inputsOf({ jobs, unread }: Extract<ToWorker, { t: 'inputs' }>): readonly SentJob[] {
  return unread === true ? jobs.map(([sequence]) => [sequence, UNREAD_INPUT]) : jobs;
}

/** May the thread be unable to read this input? Then it goes alone. */
export function hasHeavyInput(job: SentJob): boolean {
  return isHeavy(job[1]);
}

/** Why: the other side does not say. */
export function refusal(what: string): string {
  return `${what} cannot be read where it arrives: it nests too deeply for the stack there, or is too large`;
}

function refused(what: string): ErrorRecord {
  return {
    name: 'Error',
    message: refusal(what),
    stack: undefined,
    code: 'ERR_PADATA_CLONE',
    isError: true,
  };
}

function ahead<M>(instead: M | undefined): IfUnread<M> {
  return { t: 'ifUnread', instead };
}
