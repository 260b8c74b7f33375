/**
 * The initrd: where the boot loader put it, and whether the kernel moved it. One outside memory is copied into memory;
 * the log then names both places, and what is freed in between is the old one.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ByteSpan } from '../../explain-result.js';

/** Where it was and is. */
export interface Initrd {
  /** Where the boot loader put it: whole pages. */
  readonly loaded: ByteSpan;
  /** Line of the request for another place, of what was freed; absent when it stayed. */
  readonly moved?: { readonly requestLine: number; readonly freeLine: number };
  /** The line that names it. */
  readonly line: number;
}

const PAGE = 4096;

/** The initrd of a log; `undefined` when there is none. */
export function initrdOf({ printed, memblock }: MachineDescription): Initrd | undefined {
  const { ramdisk } = printed;
  if (ramdisk === undefined) return undefined;
  const named = {
    start: Math.floor(ramdisk.start / PAGE) * PAGE,
    end: Math.ceil(ramdisk.end / PAGE) * PAGE,
  };
  const { operations } = memblock;
  const at = operations.findIndex((one, index) => {
    const request = operations[index - 1];
    return (
      one.op === 'reserve' &&
      request?.op === 'alloc' &&
      one.start === named.start &&
      one.end === named.end
    );
  });
  const freed = operations
    .slice(at + 1)
    .find((one) => one.op === 'free' && one.end - one.start === named.end - named.start);
  const request = operations[at - 1];
  if (at < 0 || freed?.op !== 'free' || request === undefined) {
    return { loaded: named, line: ramdisk.line };
  }
  return {
    loaded: { start: freed.start, end: freed.end },
    line: request.line,
    moved: { requestLine: request.line, freeLine: freed.line },
  };
}
