/** What all parts of a description are made of: places, ranges, names, problems. Units and conventions: description.ts. */

/** Processor architectures whose logs are understood. */
export type Architecture =
  | 'x86_64'
  | 'i386'
  | 'arm64'
  | 'arm'
  | 'ppc64'
  | 'ppc32'
  | 'riscv64'
  | 's390x'
  | 'mips'
  | 'loongarch64'
  | 'sh'
  | 'sparc64'
  | 'sparc'
  | 'parisc'
  | 'm68k'
  | 'alpha'
  | 'ia64'
  | 'microblaze'
  | 'xtensa'
  | 'arc'
  | 'openrisc'
  | 'riscv32'
  | 'um';

/** Where something stands in the input. */
export interface Located {
  /** 1-based physical line; 0 in descriptions that were not read from text. */
  readonly line: number;
}

/** Half-open byte range. */
export interface ByteRange {
  readonly start: number;
  /** First byte after the range. */
  readonly end: number;
}

/** A byte range and its place in the input. */
export interface LocatedRange extends ByteRange, Located {}

/** Zone names over all architectures. */
export type ZoneName = 'DMA' | 'DMA32' | 'Normal' | 'HighMem' | 'Movable' | 'Device';

/** How bad a problem is. An error means: something that the result needs was lost or contradicts itself. */
export type Severity = 'error' | 'warning';

/** Every reason for a problem. */
export type ProblemCode =
  | 'EMPTY_INPUT'
  | 'NOT_TEXT'
  | 'NO_MEMORY_MAP'
  | 'NO_SUCH_BOOT'
  | 'LINE_TOO_LONG'
  | 'TOO_MANY_RECORDS'
  | 'BAD_NUMBER'
  | 'BAD_RANGE'
  | 'ADDRESS_TOO_LARGE'
  | 'UNKNOWN_KIND'
  | 'MALFORMED_LINE'
  | 'TRUNCATED'
  | 'WRAPPED_LINE'
  | 'OVERLAP'
  | 'DUPLICATE_LINE'
  | 'BAD_OPTION'
  | 'INCOMPLETE_DUMP'
  | 'HIDDEN_ADDRESSES'
  | 'CONTRADICTION'
  | 'ASSUMED'
  | 'BAD_JSON'
  | 'UNSUPPORTED_VERSION'
  | 'MULTIPLE_BOOTS'
  | 'REPEATED_LOG';

/** Something odd in the input. */
export interface Problem extends Located {
  readonly severity: Severity;
  readonly code: ProblemCode;
  /** What was expected and what came. */
  readonly message: string;
}
