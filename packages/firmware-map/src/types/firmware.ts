/** What the firmware said about memory, and what the user and the kernel made of it. Units and conventions: description.ts. */
import type { LocatedRange } from './common.js';

/** What a stretch of the firmware map is for. */
export type RangeKind =
  | 'usable'
  | 'reserved'
  | 'acpi-data'
  | 'acpi-nvs'
  | 'unusable'
  | 'persistent'
  | 'soft-reserved'
  | 'unaccepted'
  | 'gap'
  | 'other';

/** One stretch of a firmware map. */
export interface MapEntry extends LocatedRange {
  readonly kind: RangeKind;
  /** The number in `type 20` or `persistent (type 12)`, where it is printed. */
  readonly typeNumber?: number;
  /** The kind as the input words it. */
  readonly text: string;
  /** Printed after memblock had taken over the map: without effect on which memory there is. */
  readonly late?: boolean;
  /** Who printed it: `BIOS-e820`, `BIOS-88`, `BIOS-e801`, `Xen`, `user`, … */
  readonly provider: string;
}

/** A change that the kernel made to its copy of the map: `e820: update …`, `e820: remove …`. */
export interface MapEdit extends LocatedRange {
  readonly action: 'update' | 'remove';
  /** The kind that was changed or removed; absent when the line does not say. */
  readonly from?: RangeKind;
  /** The new kind of an update. */
  readonly to?: RangeKind;
  /** What asked for it: the e820 code or the EFI pass over memory-mapped I/O. */
  readonly by: 'e820' | 'efi';
  /** Printed after memblock had taken over the map, so without effect on which memory there is. */
  readonly late?: boolean;
}

/** One descriptor of the EFI memory map. */
export interface EfiEntry extends LocatedRange {
  /** UEFI memory type, 0 … 15; absent for a name this package does not know. */
  readonly type?: number;
  /** Type as printed, or its UEFI name when only the number is printed. */
  readonly name: string;
  /** Attribute bits that were printed, such as `WB`, `UC`, `MR`, `SP`, `RUN`. */
  readonly attributes: readonly string[];
}

/** A range of the device tree's `/reserved-memory`. */
export interface DeviceTreeReserve extends LocatedRange {
  /** Name of its node in the tree. */
  readonly name: string;
  /** The kernel knows the memory and never maps it. */
  readonly noMap: boolean;
  /** Drivers share it with page users (CMA). */
  readonly reusable: boolean;
}

/** Maps of the machine, as handed over and as changed. */
export interface FirmwareMaps {
  /** The firmware's own map (BIOS-e820, Xen, …), in file order. */
  readonly map: readonly MapEntry[];
  /** The `user:` map: the final word when `memmap=` or `mem=` is on the command line. */
  readonly user: readonly MapEntry[];
  /** The `modified:` map: printed when the kernel has changed the firmware's map. */
  readonly modified: readonly MapEntry[];
  /** The `reserve setup_data:` map: the whole map again, with the boot loader's data cut out. */
  readonly setupData: readonly MapEntry[];
  /** Changes in the order in which they were printed. */
  readonly edits: readonly MapEdit[];
  /** EFI memory map (`efi=debug`), in file order. */
  readonly efi: readonly EfiEntry[];
  /** Ranges the firmware has not accepted yet (confidential guests), bytes. */
  readonly unaccepted: readonly LocatedRange[];
  /** What the device tree reserves, in print order; absent where nothing is printed. */
  readonly deviceTree?: readonly DeviceTreeReserve[];
  /**
   * Banks as firmware told them where there is no other map (MIPS, ARC, PA-RISC), or as `mem=` made them, in print
   * order; absent where nothing is printed.
   */
  readonly banks?: readonly MapEntry[];
}
