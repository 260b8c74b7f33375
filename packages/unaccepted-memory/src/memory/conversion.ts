/**
 * Conversion in bytes, as one thread sees it: which units, the platform's call in pieces that it takes, and errors.
 */
import type { AcceptBackend } from '../backends/backend.js';
import { runConvert } from '../backends/call.js';
import { piecesOf } from '../backends/pieces.js';
import { checkInteger, checkName } from '../base/check.js';
import { AcceptError, hex } from '../base/errors.js';
import type { AcceptProtocol } from './accept-protocol.js';
import { Work } from './announcements.js';
import { ConvertProtocol } from './convert-protocol.js';
import type { ConvertFault, ConvertHolder, ConvertTarget } from './convert-protocol.js';
import type { StateViews } from './layout.js';
import type { Participants } from './participants.js';

/**
 * Whose memory it is: what a page allocator tells about blocks, for conversion. Addresses in bytes, whole units.
 *
 * Both are called by the converting thread with nothing held, and must not convert or accept themselves.
 */
export interface UnitHolder {
  /**
   * Marks what holds `[start, end)` as shared: it may not be freed, split or moved from here on.
   * @returns address of the first unit that is not held as a whole, and then nothing is marked; undefined when all is
   */
  hold(start: number, end: number): number | undefined;
  /**
   * Takes the mark off whatever touches `[start, end)` and has no shared part any more.
   * @param isShared  whether some unit of a range is shared, or on the way there or back; ask it under the lock that guards
   *   the mark, so that of two threads the later one sees the units of both
   */
  settle(start: number, end: number, isShared: (start: number, end: number) => boolean): void;
}

/** Nobody keeps books: the caller holds what it says. */
const NO_BOOKS: UnitHolder = { hold: () => undefined, settle: () => undefined };

/** Conversion for one thread. */
export class Conversion {
  readonly #views: StateViews;
  readonly #participants: Participants;
  readonly #accept: AcceptProtocol;
  readonly #backend: AcceptBackend;
  readonly #protocol: ConvertProtocol;

  /**
   * @param views         the shared words
   * @param participants  who takes part
   * @param accept        this thread's accept protocol: one piece of work at a time
   * @param backend       this thread's backend
   */
  constructor(
    views: StateViews,
    participants: Participants,
    accept: AcceptProtocol,
    backend: AcceptBackend,
  ) {
    this.#views = views;
    this.#participants = participants;
    this.#accept = accept;
    this.#backend = backend;
    this.#protocol = new ConvertProtocol(Atomics, views);
  }

  /**
   * Checks a range before anything changes.
   * @returns its units
   * @throws ERR_ACCEPT_ARGUMENT unless it is one or more whole units of the table, and the backend converts
   */
  unitsOf(start: number, end: number, to: ConvertTarget): { start: number; end: number } {
    const { physBase, unitSize, unitCount } = this.#views.header;
    checkInteger('start', start, physBase);
    checkInteger('end', end, start + 1, physBase + unitCount * unitSize);
    if (start % unitSize !== 0 || end % unitSize !== 0) {
      throw new AcceptError(
        'ERR_ACCEPT_ARGUMENT',
        `only whole units of ${unitSize} bytes are converted, got [${hex(start)}, ${hex(end)})`,
        { start, end, unitSize },
      );
    }
    checkName('to', to, ['shared', 'private']);
    const { repeatable, name } = this.#backend;
    if (this.#backend.convert === undefined || repeatable === 'concurrently') {
      throw new AcceptError('ERR_ACCEPT_ARGUMENT', `${name} does not convert`, { backend: name });
    }
    return { start: (start - physBase) / unitSize, end: (end - physBase) / unitSize };
  }

  /** Converts checked units. @throws ERR_ACCEPT_NOT_HELD, ERR_ACCEPT_STATE, ERR_ACCEPT_INTERRUPTED, ERR_ACCEPT_FAILED */
  convert(
    id: number,
    units: { readonly start: number; readonly end: number },
    to: ConvertTarget,
    holder: UnitHolder = NO_BOOKS,
  ): void {
    const roster = {
      announce: (start: number, end: number) => {
        this.#accept.enter(id, Work.CONVERT, { start, end });
      },
      retract: () => {
        this.#accept.leave(id);
      },
      other: (start: number, end: number) =>
        this.#participants.findProven(Work.CONVERT, start, end, id),
    };
    const fault = this.#protocol.convert({ ...units, to }, roster, this.#inUnits(holder), () => {
      this.change(units, to);
    });
    if (fault !== undefined) throw this.#errorOf(fault, to);
  }

  /** The platform's part, in pieces of its longest run. @throws ERR_ACCEPT_FAILED with what it threw as `cause` */
  change(
    units: { readonly start: number; readonly end: number },
    to: ConvertTarget | 'unaccepted',
  ): void {
    const [start, end] = [this.#address(units.start), this.#address(units.end)];
    const { unitSize } = this.#views.header;
    try {
      for (const piece of piecesOf({ start, end }, this.#backend.maxRun, unitSize)) {
        runConvert(this.#backend, piece, to);
      }
    } catch (cause) {
      throw new AcceptError(
        'ERR_ACCEPT_FAILED',
        `${this.#backend.name} could not make [${hex(start)}, ${hex(end)}) ${to}`,
        { start, end, to },
        { cause },
      );
    }
  }

  /** True when some unit of the range is shared, or on the way there or back. Bytes; clamped to the table. */
  any(start: number, end: number): boolean {
    const { physBase, unitSize, unitCount } = this.#views.header;
    const first = Math.max(0, Math.floor((start - physBase) / unitSize));
    return this.#protocol.any(first, Math.min(unitCount, Math.ceil((end - physBase) / unitSize)));
  }

  #inUnits(holder: UnitHolder): ConvertHolder {
    const { physBase, unitSize } = this.#views.header;
    return {
      hold: (start, end) => {
        const foreign = holder.hold(this.#address(start), this.#address(end));
        return foreign === undefined ? undefined : Math.floor((foreign - physBase) / unitSize);
      },
      settle: (start, end) => {
        holder.settle(this.#address(start), this.#address(end), (from, to) => this.any(from, to));
      },
    };
  }

  #errorOf(fault: ConvertFault, to: ConvertTarget): AcceptError {
    if (fault.why === 'busy') {
      return new AcceptError('ERR_ACCEPT_NOT_HELD', 'another thread is converting the range', {
        participant: fault.by.id,
        start: this.#address(fault.by.start),
        end: this.#address(fault.by.end),
      });
    }
    const address = this.#address(fault.unit);
    if (fault.why === 'not-held') {
      return new AcceptError(
        'ERR_ACCEPT_NOT_HELD',
        `the unit at ${hex(address)} is not wholly one allocated block's, or the block is another's`,
        { address },
      );
    }
    if (fault.found === 'in-doubt') {
      return new AcceptError(
        'ERR_ACCEPT_INTERRUPTED',
        `the unit at ${hex(address)} was left half converted: make it shared first`,
        { address },
      );
    }
    return new AcceptError(
      'ERR_ACCEPT_STATE',
      `the unit at ${hex(address)} is ${fault.found}, so it cannot become ${to}`,
      { address, state: fault.found, to },
    );
  }

  #address(unit: number): number {
    return this.#views.header.physBase + unit * this.#views.header.unitSize;
  }
}
