/** Widths of architectures, as `architecture` of a description names them. */

/** Those whose kernels are of 32 bits. */
export const ARCHITECTURES_32: ReadonlySet<string> = new Set([
  'i386',
  'arm',
  'ppc32',
  'sh',
  'sparc',
  'microblaze',
  'xtensa',
  'arc',
  'openrisc',
  'riscv32',
  'm68k',
]);

/** 32 or 64 bits, by choice of the build; so are those that no line tells. */
export const ARCHITECTURES_BOTH: ReadonlySet<string> = new Set(['mips', 'parisc', 'um', 'unknown']);
