/**
 * Memory that the kernel says it has taken, and that no other record describes. Such lines are what accounts for
 * most of what a kernel calls "reserved".
 *
 *   Dentry cache hash table entries: 1048576 (order: 11, 8388608 bytes, linear)
 *   percpu: Embedded 53 pages/cpu s179864 r8192 d29032 u262144
 *   printk: log_buf_len: 16777216 bytes       printk: log buffer data + meta data: 131072 + 458752 = 589824 bytes
 *   software IO TLB: mapped [mem 0x…-0x…] (64MB)           Placing 64MB software IO TLB between …
 *   Reserving Intel graphics memory at [mem 0x…-0x…]
 *   GICv3: using LPI property table @0x…      GICv3: CPU0: using allocated LPI pending table @0x…
 *
 * Some lines name no amount: that a kernel was built to check accesses (KASAN), that it maps memory in huge pages.
 */
import { PAGE_SIZES } from '../base/constants.js';
import type { Draft } from './draft.js';
import type { MemoryUse } from '../types/all.js';
import { MEM, onMatch, type Outcome, type Recogniser } from './recogniser.js';

function keep(draft: Draft, use: MemoryUse): void {
  draft.keep(draft.uses, use, use.line);
}

function notePageSize(draft: Draft, size: number): void {
  if (PAGE_SIZES.includes(size)) draft.pageSize ??= size;
}

// Bytes are the page size shifted by the order. Tables that are small have no order since 5.16.
const hashTable: Recogniser = {
  hint: 'hash table entries:',
  read(text, draft, line): Outcome {
    const match =
      /(Dentry cache|PV qspinlock|TCP established|TCP bind|IP idents|MPTCP token|[A-Za-z][\w-]{0,40}) hash table entries: \d+ \((?:order:? (\d{1,2}), )?(\d{1,15}) bytes(?:,| on|\))(.*)$/.exec(
        text,
      );
    if (match === null) return undefined;
    const bytes = draft.count(match[3]!, line);
    if (bytes === undefined) return 'taken';
    const order = Number(match[2] ?? 0);
    if (order > 0) notePageSize(draft, bytes / 2 ** order);
    const isVirtual = match[4]!.includes('vmalloc');
    const name = match[1]!;
    keep(draft, { what: 'hash-table', name, bytes, ...(isVirtual ? { isVirtual } : {}), line });
    return 'taken';
  },
};

// The parts (static, reserved, dynamic) fill the pages of one processor.
const perCpu: Recogniser = {
  hint: 'percpu: Embedded|PERCPU: Embedded|pcpu-alloc: s',
  read(text, draft, line): Outcome {
    const named = /pcpu-alloc: .*alloc=\d+\*(\d{4,5})\b/.exec(text);
    if (named !== null) {
      notePageSize(draft, Number(named[1]));
      return 'taken';
    }
    const match =
      /(?:percpu|PERCPU): Embedded (\d{1,6}) pages\/cpu .*?s(\d{1,12}) r(\d{1,12}) d(\d{1,12})\b/.exec(
        text,
      );
    if (match === null || Number(match[1]) === 0) return undefined;
    const bytes = Number(match[2]) + Number(match[3]) + Number(match[4]);
    notePageSize(draft, bytes / Number(match[1]));
    keep(draft, { what: 'per-cpu', bytes, line });
    return 'taken';
  },
};

const logBuffer = onMatch(
  'log_buf_len: |log buffer data',
  /log_buf_len: (\d{1,15})(?: bytes)?$|log buffer data \+ meta data: (\d{1,15}) \+ (\d{1,15}) =/,
  (match, draft, line) => {
    const bytes = draft.count(match[1] ?? match[2]!, line);
    const metaBytes = match[3] === undefined ? undefined : draft.count(match[3], line);
    if (bytes === undefined) return;
    keep(draft, {
      what: 'log-buffer',
      bytes,
      ...(metaBytes === undefined ? {} : { metaBytes }),
      line,
    });
  },
);

const bounceMapped = onMatch(
  'software IO TLB(?:: mapped| at phys| between| \\[mem)',
  new RegExp(
    String.raw`software IO TLB: mapped ${MEM}|software IO TLB at phys 0x([0-9a-f]+) - 0x([0-9a-f]+)|software IO TLB \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]|Placing (\d{1,6})MB software IO TLB between`,
    'i',
  ),
  (match, draft, line) => {
    const first = match[1] ?? match[3] ?? match[5];
    if (first === undefined) {
      keep(draft, { what: 'bounce-buffer', bytes: Number(match[7]) * 2 ** 20, line });
      return;
    }
    // The last address is printed as the one after the last byte, but for the oldest form.
    const last = match[2] ?? match[4] ?? match[6]!;
    const range = draft.range(first, last, line, !/f$/i.test(last));
    if (range === undefined) return;
    keep(draft, {
      what: 'bounce-buffer',
      start: range.start,
      bytes: range.end - range.start,
      line,
    });
  },
  /software IO TLB: mapped(?: \[(?:mem(?: 0x[0-9a-f-x]*)?)?)?$/,
);

const bounceGone = onMatch(
  'tearing down default memory pool|SWIOTLB bounce buffer size adjusted',
  /tearing down default memory pool|SWIOTLB bounce buffer size adjusted to (\d{1,6})MB/,
  (match, draft, line) => {
    if (match[1] === undefined) keep(draft, { what: 'bounce-buffer-freed', line });
    else keep(draft, { what: 'bounce-buffer-size', bytes: Number(match[1]) * 2 ** 20, line });
  },
);

const graphics = onMatch(
  'Reserving Intel graphics',
  new RegExp(
    String.raw`Reserving Intel graphics (?:stolen )?memory at (?:${MEM}|0x([0-9a-f]+)-0x([0-9a-f]+))`,
    'i',
  ),
  (match, draft, line) => {
    const range = draft.range((match[1] ?? match[3])!, (match[2] ?? match[4])!, line);
    if (range === undefined) return;
    keep(draft, { what: 'graphics', start: range.start, bytes: range.end - range.start, line });
  },
  /Reserving Intel graphics (?:stolen )?memory at(?: \[[^\]]*)?$/,
);

const aperture = onMatch(
  'Mapping aperture over',
  new RegExp(
    String.raw`Mapping aperture over (?:(\d{1,9}) ?KB of RAM @ ([0-9a-f]{1,16})|RAM ${MEM})`,
    'i',
  ),
  (match, draft, line) => {
    const range =
      match[3] === undefined
        ? { start: Number.parseInt(match[2]!, 16), end: 0 }
        : draft.range(match[3], match[4]!, line);
    if (range === undefined) return;
    const bytes = match[1] === undefined ? range.end - range.start : Number(match[1]) * 1024;
    if (!Number.isSafeInteger(range.start + bytes)) return;
    keep(draft, { what: 'aperture', start: range.start, bytes, line });
  },
);

const kfence = onMatch(
  'kfence: initialized',
  /kfence: initialized - using (\d{1,15}) bytes/,
  (match, draft, line) => {
    keep(draft, { what: 'kfence', bytes: Number(match[1]), line });
  },
);

/** Bytes of each table of message interrupts of a GICv3: the kernel uses no more numbers than fit. */
const LPI_TABLE = 2 ** 16;

const interruptTable = onMatch(
  'LPI (?:property|pending) table',
  /GICv3: (?:CPU\d+: )?using (?:allocated )?LPI (?:property|pending) table @0x([0-9a-f]{1,16})/i,
  (match, draft, line) => {
    const start = draft.count(`0x${match[1]!}`, line);
    if (start === undefined) return;
    keep(draft, { what: 'interrupt-table', start, bytes: LPI_TABLE, line });
  },
);

const extension = onMatch(
  'bytes of page_ext|bytes of page_cgroup',
  /allocated (\d{1,15}) bytes of (page_ext|page_cgroup)/,
  (match, draft, line) => {
    const what = match[2] === 'page_ext' ? 'page-extension' : 'page-cgroup';
    keep(draft, { what, bytes: Number(match[1]), line });
  },
);

const crashCma = onMatch(
  'crashkernel CMA reserved',
  /crashkernel CMA reserved: (\d{1,9}) MB in \d+ ranges/,
  (match, draft, line) => {
    keep(draft, { what: 'crashkernel-cma', bytes: Number(match[1]) * 2 ** 20, line });
  },
);

const checkers = onMatch(
  'KernelAddressSanitizer initialized|Starting KernelMemorySanitizer',
  /(KernelAddressSanitizer initialized \((?:sw|hw)[^)]*\))|(KernelAddressSanitizer initialized)|(Starting KernelMemorySanitizer)/,
  (match, draft, line) => {
    // Tag-based checkers have other shadows; the hardware's needs none.
    if (match[2] !== undefined) keep(draft, { what: 'kasan', line });
    else if (match[3] !== undefined) keep(draft, { what: 'kmsan', line });
    draft.records++;
  },
);

/** A bit of POWER's `mmu_features`: addresses are translated by trees. */
const RADIX_MMU = 0x40;
/** Bytes of a group of entries of POWER's page table. */
const TABLE_GROUP = 128;

const powerTables = onMatch(
  'mmu_features |ppc64_pft_size|htab_hash_mask',
  /mmu_features {1,8}= 0x([0-9a-f]{1,8})$|ppc64_pft_size {1,8}= 0x([0-9a-f]{1,2})$|htab_hash_mask {1,8}= 0x([0-9a-f]{1,12})$/,
  (match, draft, line) => {
    const [, features, shift, mask] = match;
    if (features !== undefined) {
      const isRadix = Math.floor(Number.parseInt(features, 16) / RADIX_MMU) % 2 === 1;
      if (isRadix) keep(draft, { what: 'radix-mmu', line });
      else draft.records++;
    } else if (shift !== undefined) {
      // Nothing is printed of the size where the kernel chooses it itself.
      const bytes = 2 ** Number.parseInt(shift, 16);
      if (bytes > 1 && bytes < 2 ** 53) keep(draft, { what: 'hypervisor-page-table', bytes, line });
      else draft.records++;
    } else {
      const bytes = (Number.parseInt(mask!, 16) + 1) * TABLE_GROUP;
      keep(draft, { what: 'hash-page-table', bytes, line });
    }
  },
);

/** Recognisers of memory that is in use. */
export const USE_RECOGNISERS: readonly Recogniser[] = [
  hashTable,
  perCpu,
  logBuffer,
  bounceMapped,
  bounceGone,
  graphics,
  aperture,
  kfence,
  interruptTable,
  extension,
  crashCma,
  checkers,
  powerTables,
];
