/**
 * What is reserved, from a log without `memblock=debug`: lines that name an amount, and what every kernel reserves by
 * a rule whose inputs are shown.
 */
import { intersect, normalise } from '@bootmem/firmware-map/derive';
import type { LevelDraft, RowInput } from '../base/level.js';
import { descriptors } from './descriptors.js';
import { pageTables, powerTables } from './page-tables.js';
import { imageBytes, placedRows } from './placed-rows.js';
import { reservesOf } from './releases.js';
import { giganticPages } from './totals.js';
import { isX86 } from '../base/subject.js';
import type { Subject } from '../base/subject.js';

const MIB = 2 ** 20;
/** Bytes of a large page of x86-64, to which parts of the image are aligned. */
const LARGE_PAGE = 2 * MIB;

/** Fills the level. */
export function reservedByLines(subject: Subject, level: LevelDraft): void {
  const memory = normalise(subject.plan.derived.memory);
  const rows = placedRows(subject);
  for (const row of rows) {
    if (row.ranges === undefined) level.add(row);
    else
      level.add({
        ...row,
        ranges: row.kind === 'no-map' ? row.ranges : intersect(row.ranges, memory),
      });
  }
  const isPlaced = rows.some(({ kind }) => kind === 'image');
  for (const find of [...(isPlaced ? [] : [image]), ...AMOUNTS]) {
    for (const row of find(subject)) level.add(row);
  }
}

/**
 * Adds what rules name of kinds that the operations of an incomplete log do not show.
 * @param known  kinds that are there
 */
export function addMissing(subject: Subject, level: LevelDraft, known: ReadonlySet<string>): void {
  for (const find of AMOUNTS) {
    for (const row of find(subject)) if (!known.has(row.kind)) level.add(row);
  }
}

/** Everything that lines and rules name without a place. */
export function amountRows(subject: Subject): RowInput[] {
  return AMOUNTS.flatMap((find) => find(subject));
}

/** Finds amounts that a log names. */
export type Finder = (subject: Subject) => RowInput[];

const image: Finder = (subject) => {
  const { plan, quote } = subject;
  const { memory, freeing } = plan.description.printed;
  const bytes = imageBytes(subject);
  if (memory === undefined || bytes === 0) return [];
  const evidence = [quote.at(memory.line, 'Memory: …')];
  const rows: RowInput[] = [{ kind: 'image', bytes, how: 'printed', evidence }];
  const gaps = freeing.filter(({ what }) => /\bgap\b/.test(what));
  if (gaps.length > 0) {
    rows.push({
      kind: 'image-gaps',
      bytes: gaps.reduce((sum, { kb }) => sum + kb * 1024, 0),
      how: 'printed',
      evidence: gaps.map(({ line, what, kb }) => quote.at(line, `Freeing ${what}: ${kb}K`)),
    });
  } else if (plan.description.architecture === 'x86_64') {
    const parts = (['kernel code', 'rodata'] as const).map(
      (name) => (memory.partsKb[name] ?? 0) * 1024,
    );
    const gap = (part: number): number => (LARGE_PAGE - (part % LARGE_PAGE)) % LARGE_PAGE;
    rows.push({
      kind: 'image-gaps',
      bytes: parts.reduce((sum, part) => sum + gap(part), 0),
      how: 'computed',
      evidence: [...evidence, quote.formula('code and read-only data are each filled up to 2 MiB')],
    });
  }
  const alternatives = freeing.find(({ what }) => /SMP alternatives/i.test(what));
  if (alternatives !== undefined) {
    rows.push({
      kind: 'image-alternatives',
      bytes: alternatives.kb * 1024,
      how: 'printed',
      evidence: [quote.at(alternatives.line, `Freeing SMP alternatives: ${alternatives.kb}K`)],
    });
  }
  return rows;
};

const initrd: Finder = ({ plan, quote }) => {
  const { ramdisk, freeing } = plan.description.printed;
  const freed = freeing.find(({ what }) => /initrd/i.test(what));
  if (ramdisk !== undefined || freed === undefined) return [];
  const evidence = [quote.at(freed.line, `Freeing initrd memory: ${freed.kb}K`)];
  return [{ kind: 'initrd', bytes: freed.kb * 1024, how: 'printed', evidence }];
};

const perCpu: Finder = ({ plan, quote }) => {
  const { printed, cpus } = plan.description;
  const use = printed.uses?.find(({ what }) => what === 'per-cpu');
  const count = cpus.cpuIds ?? cpus.possible ?? cpus.online;
  if (use?.bytes === undefined || count === undefined) return [];
  const bytes = Math.ceil(use.bytes / plan.pageSize) * plan.pageSize * count;
  return [
    {
      kind: 'per-cpu',
      bytes,
      how: 'computed',
      evidence: [
        quote.at(use.line, 'percpu: Embedded …'),
        quote.formula(`${bytes / count} bytes × ${count} possible processors`),
      ],
    },
  ];
};

/** Tables that are made before the page allocator is there; the others come from it. */
const EARLY_TABLES = /^(?:Dentry cache|Inode-cache|PID|PV qspinlock|stackdepot)$/;

const hashTables: Finder = ({ plan, quote }) => {
  const { uses = [], memory } = plan.description.printed;
  // Before 5.10 no line says where a table is from: those of machines with several nodes come later than this line.
  const isLate = (line: number): boolean => memory?.beforeDeferred === true && line > memory.line;
  const tables = uses.filter(
    ({ what, name, isVirtual, line }) =>
      what === 'hash-table' && EARLY_TABLES.test(name ?? '') && isVirtual !== true && !isLate(line),
  );
  return [
    {
      kind: 'hash-tables',
      bytes: tables.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
      how: 'printed',
      evidence: tables.map(({ line, name, bytes }) =>
        quote.at(line, `${name ?? ''} hash table: ${bytes ?? 0} bytes`),
      ),
    },
  ];
};

const logBuffer: Finder = ({ plan, quote }) => {
  const { uses = [] } = plan.description.printed;
  const lines = uses.filter(({ what }) => what === 'log-buffer');
  const use = lines.find(({ metaBytes }) => metaBytes !== undefined) ?? lines.at(-1);
  if (use?.bytes === undefined) return [];
  const each = reservesOf(plan.kernel.release).logRecordBytes;
  const meta = use.metaBytes ?? (use.bytes / 32) * each;
  const evidence = [quote.at(use.line, `log_buf_len: ${use.bytes} bytes`)];
  if (use.metaBytes === undefined && each > 0) {
    evidence.push(quote.formula(`and ${each} bytes for each 32 of it: ${meta}`));
  }
  return [{ kind: 'log-buffer', bytes: use.bytes + meta, how: 'computed', evidence }];
};

/** Bytes of the bounce buffer unless an option changes it. */
const BOUNCE_BUFFER = 64 * MIB;

/**
 * The bounce buffer is there before anybody knows whether devices need it: on x86-64 with memory above 4 GiB. Kernels
 * that do not need it give it back without a line.
 */
const bounceBuffer: Finder = (subject) => {
  const { plan, quote } = subject;
  const { uses = [] } = plan.description.printed;
  const own = uses.filter(({ what }) => what.startsWith('bounce-buffer'));
  // A place is a row already.
  if (own.some(({ what, start }) => what === 'bounce-buffer' && start !== undefined)) return [];
  const printed = own.find(({ what }) => what === 'bounce-buffer');
  if (printed !== undefined) {
    const evidence = [quote.at(printed.line, `bounce buffer of ${printed.bytes ?? 0} bytes`)];
    return [{ kind: 'bounce-buffer', bytes: printed.bytes ?? 0, how: 'printed', evidence }];
  }
  const freed = own.find(({ what }) => what === 'bounce-buffer-freed');
  const size = own.find(({ what }) => what === 'bounce-buffer-size')?.bytes ?? BOUNCE_BUFFER;
  if (freed !== undefined) {
    const evidence = [
      quote.at(freed.line, 'software IO TLB: tearing down default memory pool'),
      quote.formula(`its size is ${size} bytes unless swiotlb= says another`),
    ];
    return [
      {
        kind: 'bounce-buffer',
        bytes: size,
        how: 'computed',
        evidence,
        returned: 'when no device needs it',
      },
    ];
  }
  // Memory that may be plugged in counts too.
  const { srat } = plan.description.numa;
  const top = srat.reduce((high, { end }) => Math.max(high, end), plan.maxPfn * plan.pageSize);
  if (plan.description.architecture !== 'x86_64' || top <= 2 ** 32) return [];
  if (plan.description.printed.memory === undefined) return [];
  return [
    {
      kind: 'bounce-buffer',
      bytes: size,
      how: 'computed',
      evidence: [
        quote.formula(
          `x86-64 with memory above 4 GiB (up to 0x${top.toString(16)}) sets ${size} bytes aside until it has found an IOMMU`,
        ),
      ],
      returned: 'when no device needs it',
    },
  ];
};

const hugePages: Finder = ({ plan, quote }) =>
  // Smaller ones come from the page allocator.
  giganticPages(plan).map(({ pageBytes, preallocated, line }) => ({
    kind: 'huge-pages',
    of: `of ${pageBytes / MIB} MiB`,
    bytes: pageBytes * preallocated,
    how: 'printed',
    evidence: [quote.at(line, `HugeTLB: ${preallocated} pages of ${pageBytes} bytes`)],
  }));

/** KASAN has a byte of shadow for each 8 of memory. */
const shadow: Finder = ({ plan, quote }) => {
  const use = plan.description.printed.uses?.find(({ what }) => what === 'kasan');
  if (use === undefined) return [];
  const bytes = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0) * plan.pageSize;
  const evidence = [
    quote.at(use.line, 'kasan: KernelAddressSanitizer initialized'),
    quote.formula(`one byte for each 8 of ${bytes} bytes`),
  ];
  return [{ kind: 'kasan', bytes: Math.floor(bytes / 8), how: 'computed', evidence }];
};

const fencePool: Finder = ({ plan, quote }) => {
  const use = plan.description.printed.uses?.find(({ what }) => what === 'kfence');
  if (use?.bytes === undefined) return [];
  const evidence = [quote.at(use.line, `kfence: using ${use.bytes} bytes`)];
  return [{ kind: 'kfence', bytes: use.bytes, how: 'printed', evidence }];
};

/** x86 keeps memory of EFI's boot services until it has left their addresses behind. */
const bootServices: Finder = (subject) => {
  const { plan, quote } = subject;
  if (!isX86(subject)) return [];
  const { firmware, printed } = plan.description;
  const entries = firmware.efi.filter(({ type }) => type === 3 || type === 4);
  if (entries.length > 0) {
    const ranges = intersect(entries, normalise(plan.derived.memory));
    const evidence = entries.map((one) => quote.at(one.line, one.name));
    return [{ kind: 'efi-boot-services', ranges, how: 'printed', evidence }];
  }
  const freed = printed.freeing.find(({ what }) => /boot services/i.test(what));
  if (freed === undefined) return [];
  const evidence = [quote.at(freed.line, `Freeing EFI boot services memory: ${freed.kb}K`)];
  return [{ kind: 'efi-boot-services', bytes: freed.kb * 1024, how: 'printed', evidence }];
};

const AMOUNTS: readonly Finder[] = [
  initrd,
  bootServices,
  descriptors,
  hugePages,
  logBuffer,
  bounceBuffer,
  perCpu,
  hashTables,
  fencePool,
  shadow,
  pageTables,
  powerTables,
];
