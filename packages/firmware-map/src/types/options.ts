/** Options of the command line that change memory, decoded. Units and conventions: description.ts. */

/** An amount: bytes, or a share of memory in percent. */
export type MemoryAmount = { readonly bytes: number } | { readonly percent: number };

/** One `memmap=` value. */
export interface MemmapOption {
  readonly text: string;
  readonly form: 'exactmap' | 'limit' | 'usable' | 'acpi' | 'reserved' | 'persistent' | 'change';
  /** `limit`: the new end of usable memory. Others: size of the range, bytes. */
  readonly size?: number;
  readonly start?: number;
  /** `change` (`nn%ss-old+new`): e820 type numbers. */
  readonly oldType?: number;
  readonly newType?: number;
}

/** `numa=` of x86 and the generic code. */
export type NumaOption =
  | { readonly mode: 'off' }
  | { readonly mode: 'noacpi' | 'nohmat' | 'on' }
  | {
      readonly mode: 'fake';
      readonly text: string;
      readonly count: number;
      readonly uniform: boolean;
    }
  | { readonly mode: 'fake'; readonly text: string; readonly size: number };

/** Memory options of the command line, decoded. Absent: not given. */
export interface MemoryOptions {
  /** `mem=SIZE`: usable memory ends there, bytes. The smallest when given more than once. */
  readonly mem?: number;
  /**
   * `mem=SIZE@START` in order, bytes. ARM and MIPS take them for all the memory there is; the others read the size
   * alone and limit memory to it.
   */
  readonly memAt?: readonly { readonly start: number; readonly size: number }[];
  /** `memmap=` values in order. */
  readonly memmap: readonly MemmapOption[];
  readonly kernelcore?: MemoryAmount | { readonly mirror: true };
  readonly movablecore?: MemoryAmount;
  readonly movableNode: boolean;
  readonly numa: readonly NumaOption[];
  /** `crashkernel=` values as given and decoded. */
  readonly crashkernel: readonly CrashkernelOption[];
  /** Pairs of `hugepagesz=` and `hugepages=` in order; without a size, the default size. */
  readonly hugepages: readonly HugepagesOption[];
  readonly defaultHugepageSize?: number;
  readonly acceptMemory?: 'lazy' | 'eager';
  readonly memblockDebug: boolean;
  /** `log_buf_len=`, bytes, rounded up to a power of two as the kernel does. */
  readonly logBufLen?: number;
  readonly efiDebug: boolean;
  /** `efi=nosoftreserve`. */
  readonly noSoftReserve: boolean;
  /** `efi_fake_mem=` ranges, text as given. */
  readonly efiFakeMem?: string;
  /** `add_efi_memmap`. */
  readonly addEfiMemmap: boolean;
  readonly initOnAlloc?: boolean;
  readonly initOnFree?: boolean;
  /** `page_alloc.shuffle=`. */
  readonly shuffle?: boolean;
  readonly highmem?: number;
  /** `cma=` size, bytes. */
  readonly cma?: number;
  readonly maxCpus?: number;
  readonly nrCpus?: number;
  readonly possibleCpus?: number;
  /** `vmalloc=`, bytes. */
  readonly vmalloc?: number;
  readonly minMemoryBlockSize?: number;
  readonly memmapOnMemory?: string;
  readonly memhpDefaultState?: string;
}

/** A `crashkernel=` value. */
export interface CrashkernelOption {
  readonly text: string;
  /** Fixed size, bytes; absent in the form by memory size. */
  readonly size?: number;
  readonly offset?: number;
  readonly where?: 'high' | 'low' | 'cma';
  /** `512M-2G:64M,2G-:128M`: `end` absent = no upper bound. */
  readonly steps?: readonly {
    readonly start: number;
    readonly end?: number;
    readonly size: number;
  }[];
}

/** `hugepagesz=S hugepages=N`. */
export interface HugepagesOption {
  /** Absent: the default huge page size. */
  readonly pageBytes?: number;
  /** Pages over all nodes. */
  readonly count?: number;
  /** `hugepages=0:2,1:4`: per node. */
  readonly perNode?: readonly { readonly nid: number; readonly count: number }[];
}
