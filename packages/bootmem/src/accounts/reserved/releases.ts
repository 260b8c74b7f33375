/**
 * Where kernel releases reserve memory differently, in ways that no line tells.
 */
import { byRelease } from '@bootmem/memmap/releases';
import type { ReleaseTable } from '@bootmem/memmap/releases';

/** What a release reserves. */
interface Row {
  /** Bytes from address 0 that x86 leaves alone. */
  readonly lowMemory: number;
  /** Bytes that describe a record of the log buffer; one is there for each 32 bytes of it. */
  readonly logRecordBytes: number;
  /** arm64 maps memory page by page, so that each can be protected. */
  readonly arm64MapsPages: boolean;
}

const RELEASES: ReleaseTable<Row> = [
  { since: '2.6.32', lowMemory: 65_536, logRecordBytes: 0, arm64MapsPages: false },
  // "arm64: mm: apply r/o permissions of VM areas to its linear alias as well".
  { since: '5.0', arm64MapsPages: true },
  // "printk: use the lockless ringbuffer": a descriptor (24 bytes) and what is known of the record (88).
  { since: '5.10', logRecordBytes: 112 },
  // "x86/setup: Always reserve the first 1M of RAM".
  { since: '5.13', lowMemory: 2 ** 20 },
];

/** What a kernel release reserves. */
export const reservesOf = byRelease(RELEASES);
