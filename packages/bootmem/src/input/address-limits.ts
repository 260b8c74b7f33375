/**
 * How far memory can lie on each architecture: the bits of a physical address. A log that claims memory beyond them was damaged
 * or made up, and nothing that follows from it could be a machine. A kernel may reach less far than the machine does (32-bit
 * ones on large PCs); what it leaves out is not decided here.
 *
 * Source: the widths that the architectures' manuals give: five-level paging on x86, LPA2 on arm64, LPAE on arm, Sv32 on riscv32.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { Architecture } from '@bootmem/firmware-map/types';
import { BootmemError } from '../errors.js';

/** Bits of the widest physical address. */
export const MAX_ADDRESS_BITS = 52;

/** Bits of a physical address where they are fewer than the widest has. */
const BITS: Partial<Record<Architecture, number>> = {
  arm: 40,
  arc: 40,
  loongarch64: 48,
  m68k: 32,
  microblaze: 32,
  openrisc: 32,
  ppc32: 36,
  riscv32: 34,
  sh: 32,
  sparc: 36,
  xtensa: 32,
};

/** Kinds of which a kernel makes memory or devices with pages; what else lies that high costs nothing. */
const MEMORY: readonly string[] = ['usable', 'persistent', 'soft-reserved'];
/** The same of EFI's types: loader and boot services, conventional, persistent memory. */
const EFI_MEMORY: readonly number[] = [1, 2, 3, 4, 7, 14];

/**
 * Refuses memory where none can be.
 * @param description  with the map that the firmware gave
 * @param path         its name, for the message
 * @throws BootmemError ERR_BOOTMEM_INPUT with line, range and limit
 */
export function checkAddresses({ architecture, firmware }: MachineDescription, path: string): void {
  const bits = (architecture && BITS[architecture]) ?? MAX_ADDRESS_BITS;
  const isBeyond = ({ end }: { readonly end: number }): boolean => end > 2 ** bits;
  const entry =
    [...firmware.map, ...(firmware.banks ?? [])].find(
      (one) => MEMORY.includes(one.kind) && isBeyond(one),
    ) ?? firmware.efi.find((one) => EFI_MEMORY.includes(one.type ?? -1) && isBeyond(one));
  if (entry === undefined) return;
  const { start, end, line } = entry;
  const range = `0x${start.toString(16)}-0x${(end - 1).toString(16)}`;
  throw new BootmemError(
    'ERR_BOOTMEM_INPUT',
    `${path}:${line === 0 ? '' : ` line ${line}:`} memory at [mem ${range}] lies beyond the ${bits} bits of a physical address` +
      (architecture === undefined ? '' : ` on ${architecture}`),
    { path, line, start, end, bits },
  );
}
