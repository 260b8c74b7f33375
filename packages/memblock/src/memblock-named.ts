/**
 * Named reservations: `reserve_mem=SIZE:ALIGN:NAME` on the command line keeps a range under a name
 * that other code can ask for. The table has 8 slots, and a released slot is not used again.
 *
 * Source: Documentation/admin-guide/kernel-parameters.txt (reserve_mem=).
 */
import {
  ALLOC_ACCESSIBLE,
  MAX_NAMED_RESERVATIONS,
  NO_NODE,
  RESERVATION_NAME_SIZE,
} from './constants.js';
import { MemblockError } from './errors.js';
import { MemblockHandover } from './memblock-handover.js';
import { decimal, hexAddress, hexNumber } from './text-format.js';
import type { NamedReservation, PfnRange } from './types.js';

/** The kernel's error numbers of a refused parameter. */
export const RESERVATION_ERRNO = { EINVAL: -22, EBUSY: -16 } as const;

/** A record handed over from the kernel before: same name, size and a base that fits the alignment. */
export interface ReservationRecord {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

/** Named reservations; the sixth layer of {@link Memblock}. */
export class MemblockNamed extends MemblockHandover {
  /** @internal */
  protected readonly named: { name: string; start: number; size: number }[] = [];

  /**
   * Makes the reservation that a `reserve_mem=` parameter asks for.
   * @param parameter `SIZE:ALIGN:NAME`; sizes take K, M, G, T, P, E; an alignment below the cache line is raised to it
   * @param options `revive`: records from the kernel before, taken over instead of allocating
   * @returns the reservation, or undefined when there is no memory
   * @throws MemblockError ERR_MEMBLOCK_RESERVATION: malformed (`details.errno` -22), name in use or table full (-16)
   * @kernel reserve_mem
   */
  reserveMem(
    parameter: string,
    options: { readonly revive?: readonly ReservationRecord[] } = {},
  ): NamedReservation | undefined {
    this.checkAlive();
    if (parameter === '') this.refuse('EINVAL', 'empty or malformed parameter', parameter);
    if (this.named.length >= MAX_NAMED_RESERVATIONS) {
      this.refuse('EBUSY', 'no more room for reserved memory', parameter);
    }
    const { size, align, name } = this.parseReservation(parameter);
    if (this.findReservation(name) !== undefined) {
      this.refuse('EBUSY', `name "${name}" was already used`, parameter);
    }
    const record = options.revive?.find(
      (known) => known.name === name && known.size === size && known.start % align === 0,
    );
    if (record !== undefined) {
      this.print(`Revived memory reservation '${name}' from KHO\n`, 'info');
      return this.enter(name, record.start, size);
    }
    if (this.settings.debug) {
      this.debugLine(
        `memblock_phys_alloc_range: ${decimal(size)} bytes align=${hexNumber(align)} from=${hexAddress(0)} max_addr=${hexAddress(ALLOC_ACCESSIBLE)}`,
      );
    }
    const start = this.allocChecked(size, align, 0, ALLOC_ACCESSIBLE, NO_NODE, false);
    if (start !== 0) return this.enter(name, start, size);
    if (this.settings.profile.reserveMemMessages) {
      this.print('reserve_mem: memblock allocation failed\n', 'error');
    }
    return undefined;
  }

  /** The reservation of that name; undefined for none, and for a released one. @kernel reserve_mem_find_by_name */
  findReservation(name: string): NamedReservation | undefined {
    const found = this.named.find((entry) => entry.size > 0 && entry.name === name);
    return found === undefined ? undefined : { ...found };
  }

  /** All reservations made, in order; released ones have size 0. */
  namedReservations(): NamedReservation[] {
    return this.named.map((entry) => ({ ...entry }));
  }

  /**
   * Ends a reservation: its pages may go to the page allocator. The list of reservations stays.
   * @returns the pages to free (one too few before 7.1, as in the kernel), or undefined for an unknown name
   * @kernel reserve_mem_release_by_name
   */
  releaseReservation(name: string): PfnRange | undefined {
    const entry = this.named.find((known) => known.size > 0 && known.name === name);
    if (entry === undefined) return undefined;
    const { pageSize, profile } = this.settings;
    const end = entry.start + entry.size - (profile.releasesLastPage ? 0 : 1);
    const startPfn = Math.ceil(entry.start / pageSize);
    const endPfn = Math.max(startPfn, Math.floor(end / pageSize));
    entry.size = 0;
    return { startPfn, endPfn, nid: this.searchPfnNid(startPfn)?.nid ?? NO_NODE };
  }

  private enter(name: string, start: number, size: number): NamedReservation {
    this.named.push({ name, start, size });
    return { name, start, size };
  }

  private parseReservation(parameter: string): { size: number; align: number; name: string } {
    const malformed = (): never => this.refuse('EINVAL', 'empty or malformed parameter', parameter);
    const size = parseMemorySize(parameter);
    if (size.length === 0 || size.value === 0) malformed();
    if (parameter[size.length] !== ':') malformed();
    const align = parseMemorySize(parameter.slice(size.length + 1));
    const nameAt = size.length + 1 + align.length;
    if (parameter[nameAt] !== ':') malformed();
    const name = parameter.slice(nameAt + 1);
    if (name.trim() === '' || name.length >= RESERVATION_NAME_SIZE) malformed();
    return { size: size.value, align: Math.max(align.value, this.settings.cacheLineSize), name };
  }

  private refuse(errno: keyof typeof RESERVATION_ERRNO, reason: string, parameter: string): never {
    const message = `reserve_mem: ${reason}`;
    if (this.settings.profile.reserveMemMessages) this.print(`${message}\n`, 'error');
    throw new MemblockError('ERR_MEMBLOCK_RESERVATION', `${message}: ${parameter}`, {
      errno: RESERVATION_ERRNO[errno],
      parameter,
    });
  }
}

/**
 * Reads a number with an optional K, M, G, T, P or E behind it, at the front of a text: decimal,
 * `0x` hexadecimal or `0` octal.
 * @returns the value in bytes (at most 2^53 - 1) and how many characters it took; 0 characters: no number
 * @kernel memparse
 */
export function parseMemorySize(text: string): { value: number; length: number } {
  const digits = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text)?.[0] ?? '';
  if (digits === '') return { value: 0, length: 0 };
  const octal = /^0[0-7]+$/.test(digits);
  const number = octal ? Number.parseInt(digits, 8) : Number(digits);
  const suffix = 'KMGTPE'.indexOf((text[digits.length] ?? ' ').toUpperCase());
  const value = number * 1024 ** (suffix + 1);
  return {
    value: Math.min(value, Number.MAX_SAFE_INTEGER),
    length: digits.length + (suffix < 0 ? 0 : 1),
  };
}
