/**
 * What the kernel said that it did not get or could not use: each of its complaints explained, with what would help.
 */
import { formatBytes } from '../format/numbers.js';
import type { Finding } from '../result.js';
import { found } from './finding-list.js';
import type { FindingRule, Searched } from './finding-list.js';
import { holesInWords, largestHoles } from './holes.js';

type Words = Omit<Finding, 'line' | 'text'>;

/** A complaint's words, and what they mean. */
type Complaint = readonly [RegExp, (match: RegExpExecArray, searched: Searched) => Words];

const MIB = 2 ** 20;

/** What each complaint means; the first that fits counts. */
const COMPLAINTS: readonly Complaint[] = [
  [
    /MTRRs don't cover all of memory, losing (\d+) ?MB/,
    ([, lost]) => ({
      id: 'mtrr-loss',
      severity: 'error',
      message: `the firmware set up the MTRRs for less memory than there is: ${lost!} MiB would be uncached and are left out`,
      remedy:
        'update the firmware, or change "memory remap" in its setup; disable_mtrr_trim keeps the memory, slow',
    }),
  ],
  [
    /crashkernel(?: reservation failed| low memory)?.*memory is in use|crashkernel reservation failed - memory is in use/,
    (_match, searched) => ({
      id: 'crashkernel-failed',
      severity: 'error',
      message: `crashkernel= asks for ${asked(searched)} at an address that is in use; free stretches: ${holes(searched)}`,
      remedy: 'leave the address away (crashkernel=SIZE), or choose one in a free stretch',
    }),
  ],
  [
    /cannot allocate crashkernel low memory|crashkernel low memory reservation failed/,
    (_match, searched) => ({
      id: 'crashkernel-low-failed',
      severity: 'error',
      message: `there is no room below 4 GiB for the part of the crash kernel that devices need; free stretches: ${holes(searched)}`,
      remedy: 'ask for less below 4 GiB: crashkernel=SIZE,high crashkernel=SIZE,low',
    }),
  ],
  [
    /crashkernel CMA reservation failed(.*)/,
    ([, rest]) => ({
      id: 'crashkernel-cma-failed',
      severity: 'warning',
      message: `not all of the crash kernel's contiguous memory was reserved${rest!}`,
      remedy: 'ask for less: crashkernel=SIZE,cma',
    }),
  ],
  [
    /cannot allocate crashkernel|crashkernel(?: low memory)? reservation failed/,
    (_match, searched) => ({
      id: 'crashkernel-failed',
      severity: 'error',
      message: `no stretch is large enough for the crash kernel: asked ${asked(searched)}, got nothing; free stretches: ${holes(searched)}`,
      remedy: crashRemedy(searched),
    }),
  ],
  [
    /crashkernel: (.*)/,
    ([, reason]) => ({
      id: 'crashkernel-ignored',
      severity: 'error',
      message: `crashkernel= could not be read: ${reason!}`,
      remedy: 'crashkernel=SIZE[@ADDRESS], crashkernel=RANGE:SIZE,…, SIZE,high or SIZE,low',
    }),
  ],
  [
    /HugeTLB: allocating (\d+) of page size (\S+ \S+) failed\.\s+Only allocated (\d+)/,
    ([, want, size, got], searched) => ({
      id: 'hugetlb-failed',
      severity: 'error',
      message: `asked ${want!} huge pages of ${size!}, got ${got!}; ${fitting(size!, searched)}`,
      remedy: 'ask for fewer, or node by node: hugepages=0:N,1:M',
    }),
  ],
  [
    /HugeTLB: unsupported (default_)?hugepagesz=(\S+)/,
    ([, , size]) => ({
      id: 'hugetlb-unsupported',
      severity: 'warning',
      message: `this processor has no huge pages of ${size!}, so the pages asked for of that size do not exist`,
      remedy: 'hugepagesz=2M; of a guest, let the host show pages of 1 GiB (pdpe1gb)',
    }),
  ],
  [
    /HugeTLB: hugepages=(\S+) does not follow/,
    ([, count]) => ({
      id: 'hugetlb-order',
      severity: 'warning',
      message: `hugepages=${count!} comes after no hugepagesz= that is valid, and is ignored`,
      remedy: 'write hugepagesz=SIZE before each hugepages=',
    }),
  ],
  [
    /hugetlb_cma: (.*)/,
    ([, reason]) => ({
      id: 'hugetlb-cma',
      severity: 'warning',
      message: `hugetlb_cma= has no effect: ${reason!}`,
      remedy: 'it needs gigantic pages of this architecture, and a size of at least one of them',
    }),
  ],
  [
    /cma: Failed to reserve (\d+) MiB/,
    ([, size], searched) => ({
      id: 'cma-failed',
      severity: 'error',
      message: `no room for a contiguous area: asked ${size!} MiB, got nothing; free stretches: ${holes(searched)}`,
      remedy: 'ask for less (cma=), or let it lie elsewhere: cma=SIZE@START-END',
    }),
  ],
  [
    /cma: (.*)/,
    ([, reason]) => ({
      id: 'cma-failed',
      severity: 'warning',
      message: `a contiguous area was not reserved: ${reason!}`,
      remedy: 'cma=SIZE, or without it nothing is lost but for drivers that need it',
    }),
  ],
  [
    /Warning only (\d+)MB will be used/,
    ([, size]) => ({
      id: 'beyond-reach',
      severity: 'error',
      message: `this kernel reaches ${size!} MiB; what lies above is not used`,
      remedy: 'a kernel with HIGHMEM (or PAE), better one of 64 bits',
    }),
  ],
  [
    /OF: fdt: Ignoring memory (?:range|block) (.*)/,
    ([, range]) => ({
      id: 'beyond-reach',
      severity: 'warning',
      message: `memory that the kernel's map does not reach is not used: ${range!}`,
      remedy: 'a kernel built for more address bits, or loaded lower in memory',
    }),
  ],
  [
    /OF: reserved mem: (.*)/,
    ([, reason]) => ({
      id: 'device-tree',
      severity: 'warning',
      message: `a reservation of the device tree was not made as it stands there: ${reason!}`,
      remedy: 'correct the reserved-memory node',
    }),
  ],
  [
    /software IO TLB: (.*)/,
    ([, reason]) => ({
      id: 'swiotlb-failed',
      severity: 'error',
      message: `there is no bounce buffer: devices that do not reach all memory will fail (${reason!})`,
      remedy:
        'swiotlb=SLABS with less, or more memory below 4 GiB (in a crash kernel: crashkernel=SIZE,low)',
    }),
  ],
  [
    /Invalid EFI memory map/,
    () => ({
      id: 'efi-map',
      severity: 'warning',
      message: 'entries of the EFI memory map contradict themselves; the kernel drops them',
      remedy: 'update the firmware',
    }),
  ],
  [
    /ignore kernelcore=mirror/,
    () => ({
      id: 'option-without-effect',
      severity: 'warning',
      message: 'kernelcore=mirror has no effect: the firmware marks no memory as mirrored',
      remedy: 'switch address range mirroring on in the firmware setup',
    }),
  ],
  [
    /Malformed early option '([^']*)/,
    ([, option]) => ({
      id: 'option-malformed',
      severity: 'warning',
      message: `the kernel could not read the option ${option!}=, and went on without it`,
      remedy: 'see kernel-parameters of the kernel’s documentation for its form',
    }),
  ],
];

function asked({ plan }: Searched): string {
  const { crashkernel } = plan.description.options;
  const sized = crashkernel.filter(({ size }) => size !== undefined);
  if (sized.length > 0) {
    return sized
      .map(({ size, where }) => `${formatBytes(size!)}${where === undefined ? '' : ` (${where})`}`)
      .join(' and ');
  }
  return (
    crashkernel.map(({ text }) => text).join(' and ') || 'an amount that the log does not hold'
  );
}

function holes({ plan }: Searched): string {
  return holesInWords(largestHoles(plan));
}

function crashRemedy({ plan }: Searched): string {
  const most = largestHoles(plan).reduce(
    (size, { below4G, above4G }) => ({
      low: Math.max(size.low, below4G),
      high: Math.max(size.high, above4G),
    }),
    { low: 0, high: 0 },
  );
  const place = (bytes: number): string => `${Math.floor(bytes / (16 * MIB)) * 16}M`;
  const isRandom = !/\bnokaslr\b/.test(plan.description.commandLine?.text ?? '');
  const kaslr = isRandom ? '; the kernel itself may lie in the middle of it (nokaslr tells)' : '';
  return most.high > most.low
    ? `crashkernel=SIZE,high takes up to ${place(most.high)} above 4 GiB; below, up to ${place(most.low)}${kaslr}`
    : `up to ${place(most.low)} fit below 4 GiB${kaslr}`;
}

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: MIB, GiB: 2 ** 30 };

function fitting(size: string, { plan }: Searched): string {
  const [amount, unit] = size.split(' ');
  const bytes = Number(amount) * (UNITS[unit ?? ''] ?? NaN);
  if (!Number.isSafeInteger(bytes)) return 'how many would fit is not known';
  const counts = largestHoles(plan).map((node) => `${node.blocks(bytes)} on node ${node.nid}`);
  // Pages that a line counts are reserved: what is free is room for more.
  const isTaken = plan.description.printed.hugetlb.some(
    ({ pageBytes, preallocated }) => pageBytes === bytes && preallocated > 0,
  );
  return isTaken
    ? `beside those, aligned free stretches hold ${counts.join(', ')}`
    : `aligned free stretches hold ${counts.join(', ')}, before what the log does not name`;
}

/** Complaints of the kernel, explained. */
export const complaints: FindingRule = function* (searched) {
  for (const { text, line } of searched.plan.description.printed.failures ?? []) {
    for (const [words, explain] of COMPLAINTS) {
      const match = words.exec(text);
      if (match === null) continue;
      yield found(searched, line, explain(match, searched));
      break;
    }
  }
};
