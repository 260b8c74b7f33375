/**
 * Limits. Every list, text and loop of this package ends at one of these, so that no input, however long or odd,
 * can make a reader use more memory than a description of the largest known machine needs.
 */

/** Highest address that is represented exactly, and the end of the address space: 2^53 - 1 bytes. */
export const PHYS_ADDR_MAX: number = Number.MAX_SAFE_INTEGER;

/**
 * Characters of one physical line that are looked at; the rest is dropped and reported. A kernel record has at most
 * 1024, a command line at most 4096.
 */
export const MAX_LINE_LENGTH = 8192;

/** Records of one kind (map entries, operations, …) that are kept; more are counted and reported. */
export const MAX_RECORDS = 1 << 17;

/**
 * Records of a kind that a kernel prints once for each node or zone: enough for 1024 nodes of five zones, and for some that are
 * printed again.
 */
export const MAX_NODE_RECORDS = 1 << 13;

/** Problems of one code that are listed one by one; more are summed up in a last one. */
export const MAX_PROBLEMS_PER_CODE = 20;

/** Physical lines that a wrapped record may take after its first. */
export const MAX_WRAPPED_LINES = 2;

/** Physical lines that the tails of one wrapped line may take, when prefixes show which lines are tails. */
export const MAX_TAILS = 32;

/** Unrelated lines after which a block such as `Zone ranges:` counts as over. */
export const MAX_BLOCK_GAP = 64;

/** Characters of a JSON description that are read. */
export const MAX_JSON_LENGTH = 1 << 26;

/** Node ids of the largest kernel configuration: 0 … 1023 (NODES_SHIFT 10). */
export const MAX_NODE_ID = 1023;

/** Page size when an input gives no hint. */
export const DEFAULT_PAGE_SIZE = 4096;

/** Bytes that a page may have: 8 KiB on sparc64 and alpha, 16 and 64 KiB by choice of the build. */
export const PAGE_SIZES: readonly number[] = [4096, 8192, 16_384, 65_536];
