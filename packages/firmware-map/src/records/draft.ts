/**
 * A description while it is being read: the same fields as {@link MachineDescription}, writable, plus the block the
 * reader is in and what is needed to judge the whole at the end. One draft a boot.
 *
 * Lists are bounded ({@link MAX_RECORDS}); `keep` is the only way records enter them.
 */
import type { Writable } from '../base/writable.js';
import { MAX_NODE_RECORDS, MAX_RECORDS, PHYS_ADDR_MAX } from '../base/constants.js';
import { parseHex, parseNumber } from '../base/numbers.js';
import { ProblemList } from '../base/problem-list.js';
import type {
  Architecture,
  BuddyinfoRow,
  ByteRange,
  CmaArea,
  CommandLine,
  CpuAffinity,
  CpuCounts,
  DeferredLine,
  DeviceTreeReserve,
  EarlyRange,
  EfiEntry,
  FreeingLine,
  HugetlbLine,
  IomemEntry,
  KernelIdentity,
  LocatedRange,
  MapEdit,
  MapEntry,
  MemblockList,
  MemblockOperation,
  MemblockRegionLine,
  MemoryLine,
  MemoryUse,
  NodeData,
  NodeSetup,
  NumaMerge,
  PrintedZonelist,
  SratEntry,
  UnavailablePages,
  ZoneName,
  ZoneRange,
  ZonelistsLine,
} from '../types/all.js';

/** A memblock dump while its lines come in. */
interface DumpDraft {
  line: number;
  memorySize?: number;
  reservedSize?: number;
  memory: MemblockRegionLine[];
  reserved: MemblockRegionLine[];
  physmem: MemblockRegionLine[];
  counts: Partial<Record<MemblockList, number>>;
}

/** A zone line below `On node N totalpages`. */
interface NodePagesZoneDraft {
  zone: ZoneName;
  pages?: number;
  lifoBatch?: number;
  memmapPages?: number;
  reservedPages?: number;
}

/** A zone of /proc/zoneinfo while its lines come in. */
export interface ZoneinfoDraft {
  line: number;
  nid: number;
  zone: ZoneName;
  counters: Record<string, number>;
  [field: string]: unknown;
}

/** A node of sysfs while its lines come in. */
interface SysfsNodeDraft {
  line: number;
  nid: number;
  cpus: number[];
  distances: number[];
  memTotalKb?: number;
}

/** The multi-line block that the reader is in. */
type Block =
  | 'none'
  | 'zone-ranges'
  | 'movable'
  | 'movable-pfn'
  | 'early'
  | 'dump'
  | 'zoneinfo'
  | 'pagetype-free'
  | 'pagetype-blocks';

/** "To the end of the address space", as the kernel writes it. */
const END_OF_ADDRESSES = /^f{15}[ef]$/i;

/** Everything read about one boot so far. */
export class Draft {
  readonly problems = new ProblemList();
  /** First and last line of this boot. */
  readonly firstLine: number;
  lastLine: number;

  kernel: KernelIdentity | undefined;
  /** Whether the first record had a prefix, so that all lines of this boot have one. */
  hasPrefixes: boolean | undefined;
  commandLine: CommandLine | undefined;
  machine: string | undefined;
  pageSize: number | undefined;
  /** Votes for an architecture, by what only it prints. */
  readonly architectureVotes = new Map<Architecture, number>();

  readonly map: MapEntry[] = [];
  readonly user: MapEntry[] = [];
  readonly modified: MapEntry[] = [];
  readonly setupData: MapEntry[] = [];
  readonly edits: MapEdit[] = [];
  /** Memblock has taken over the map; edits after that do not change which memory there is. */
  mapHandedOver = false;
  readonly efi: EfiEntry[] = [];
  readonly unaccepted: LocatedRange[] = [];
  readonly deviceTree: DeviceTreeReserve[] = [];
  readonly banks: MapEntry[] = [];

  readonly srat: Writable<SratEntry>[] = [];
  readonly cpuAffinity: CpuAffinity[] = [];
  readonly merges: NumaMerge[] = [];
  readonly nodeData: Writable<NodeData>[] = [];
  readonly faked: (LocatedRange & { nid: number })[] = [];
  single: LocatedRange | undefined;
  readonly blocks: (LocatedRange & { nid: number })[] = [];
  slit: boolean | undefined;
  distanceCount: number | undefined;
  rejected: { reason: string; line: number } | undefined;

  readonly zoneRanges: ZoneRange[] = [];
  readonly movableStarts: { nid: number; start: number; line: number }[] = [];
  readonly earlyRanges: EarlyRange[] = [];
  /** Early ranges in page numbers, until the page size is known. */
  readonly earlyPfns: { nid: number; startPfn: number; endPfn: number; line: number }[] = [];
  readonly zonePfns: { zone: ZoneName; startPfn: number; endPfn: number; line: number }[] = [];
  readonly nodeSetups: NodeSetup[] = [];
  readonly unavailable: UnavailablePages[] = [];
  readonly nodePages: {
    nid: number;
    totalPages: number;
    line: number;
    zones: NodePagesZoneDraft[];
  }[] = [];
  readonly fallbackOrders: { nid: number; order: number[]; line: number }[] = [];
  policyZone: { zone: ZoneName; line: number } | undefined;
  zonelists: ZonelistsLine | undefined;
  readonly zonelistOrders: PrintedZonelist[] = [];
  readonly memmapInit: {
    nid: number;
    zoneIndex: number;
    startPfn: number;
    endPfn: number;
    line: number;
  }[] = [];
  memory: MemoryLine | undefined;
  readonly deferred: DeferredLine[] = [];
  readonly deviceInit: { pages: number; ms: number; line: number }[] = [];
  readonly freeing: FreeingLine[] = [];
  readonly hugetlb: HugetlbLine[] = [];
  readonly cma: CmaArea[] = [];
  readonly uses: MemoryUse[] = [];
  readonly failures: { text: string; line: number }[] = [];
  blockSize: { bytes: number; line: number } | undefined;
  lowmem: { end: number; line: number } | undefined;
  ramdisk: LocatedRange | undefined;
  readonly crashkernel: LocatedRange[] = [];
  readonly lastPfns: { pfn: number; maxArchPfn?: number; line: number }[] = [];
  readonly acpiTables: (LocatedRange & { table: string })[] = [];

  readonly cpus: Writable<CpuCounts> = {};

  readonly dumps: DumpDraft[] = [];
  readonly operations: MemblockOperation[] = [];

  readonly iomem: IomemEntry[] = [];
  readonly firmwareMemmap: MapEntry[] = [];
  readonly zoneinfo: ZoneinfoDraft[] = [];
  readonly buddyinfo: BuddyinfoRow[] = [];
  pageblockOrder: number | undefined;
  pagesPerBlock: number | undefined;
  pagetypeNames: string[] = [];
  readonly pagetypeFree: {
    nid: number;
    zone: ZoneName;
    type: string;
    counts: number[];
    capped: boolean;
    line: number;
  }[] = [];
  readonly pagetypeBlocks: {
    nid: number;
    zone: ZoneName;
    counts: Record<string, number>;
    line: number;
  }[] = [];
  readonly meminfo = new Map<string, number>();
  readonly sysfsNodes: SysfsNodeDraft[] = [];
  /** The sysfs file whose value is on the next line. */
  sysfsSection: string | undefined;
  /** Lists of /sys/kernel/debug/memblock, and the one whose lines come now. */
  readonly keptMemblock: { memory: MemblockRegionLine[]; reserved: MemblockRegionLine[] } = {
    memory: [],
    reserved: [],
  };
  keptList: 'memory' | 'reserved' | undefined;
  /** /proc/iomem showed zeros only. */
  addressesHidden = false;

  /** The block of lines the reader is in, and how many unrelated lines came since its last one. */
  block: Block = 'none';
  blockGap = 0;
  /** Largest kernel time of a record so far, seconds. */
  latestTime = 0;
  /** The log begins anew without a banner; its lines are left out from here on. */
  isOver = false;
  /** Records of any kind so far: 0 means that nothing was understood. */
  records = 0;

  /** @param firstLine  line the boot begins on */
  constructor(firstLine: number) {
    this.firstLine = firstLine;
    this.lastLine = firstLine;
  }

  /** Adds a record to one of the lists, unless the list is full. */
  keep<T extends object>(list: T[], record: T, line: number): void {
    this.#add(list, detached(record), line, MAX_RECORDS);
  }

  /** The same for what is printed once for each node or zone. */
  keepOfNode<T extends object>(list: T[], record: T, line: number): void {
    this.#add(list, detached(record), line, MAX_NODE_RECORDS);
  }

  /** The same for a record of which no text was cut out of a line. */
  keepOwn<T extends object>(list: T[], record: T, line: number): void {
    this.#add(list, record, line, MAX_RECORDS);
  }

  /** The same for both. */
  keepOwnOfNode<T extends object>(list: T[], record: T, line: number): void {
    this.#add(list, record, line, MAX_NODE_RECORDS);
  }

  #add<T extends object>(list: T[], record: T, line: number, most: number): void {
    this.records++;
    if (list.length < most) list.push(record);
    else {
      const message = `more than ${most} records of one kind; this one is left out`;
      this.problems.error('TOO_MANY_RECORDS', line, message);
    }
  }

  /** Enters a block of lines, or leaves it with `none`. */
  enter(block: Block): void {
    this.block = block;
    this.blockGap = 0;
    this.records++;
  }

  /** Counts one more sign for an architecture. */
  vote(architecture: Architecture, weight = 1): void {
    this.architectureVotes.set(
      architecture,
      (this.architectureVotes.get(architecture) ?? 0) + weight,
    );
  }

  /**
   * Makes a half-open range of two printed addresses.
   * @param first  hexadecimal text of the first byte
   * @param last   hexadecimal text of the last byte, or with `exclusive` of the byte after it
   * @returns `undefined` after reporting why, when the two make no range
   */
  range(first: string, last: string, line: number, exclusive = false): ByteRange | undefined {
    const start = parseHex(first);
    const lastByte = parseHex(last);
    if (start === undefined || lastByte === undefined) {
      const message = `expected two hexadecimal addresses, found "${first}" and "${last}"`;
      this.problems.error('BAD_NUMBER', line, message);
      return undefined;
    }
    if (start === Infinity) {
      const message = `address ${first} is above 2^53 - 1; the range is left out`;
      this.problems.warn('ADDRESS_TOO_LARGE', line, message);
      return undefined;
    }
    let end = exclusive ? lastByte : lastByte + 1;
    if (end > PHYS_ADDR_MAX && !END_OF_ADDRESSES.test(last)) {
      const message = `address ${last} is above 2^53 - 1; the range is cut there`;
      this.problems.warn('ADDRESS_TOO_LARGE', line, message);
    }
    end = Math.min(end, PHYS_ADDR_MAX);
    if (end <= start) {
      const message =
        end === start
          ? `the range ${first}-${last} is empty`
          : `the range ${first}-${last} ends before it starts`;
      this.problems.error('BAD_RANGE', line, message);
      return undefined;
    }
    return { start, end };
  }

  /** A count that fits a safe integer; reports and returns `undefined` otherwise. */
  count(text: string, line: number): number | undefined {
    const value = parseNumber(text);
    if (value !== undefined && value !== Infinity) return value;
    this.problems.error('BAD_NUMBER', line, `"${text}" is no number below 2^53`);
    return undefined;
  }
}

// Text cut out of a line may keep the whole chunk of input alive that the line was cut out of. A copy does not.
function detached<T extends object>(record: T): T {
  const fields = record as Record<string, unknown>;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === 'string') {
      if (value.length >= SLICE_LENGTH) fields[name] = copyOf(value);
    } else if (Array.isArray(value) && typeof value[0] === 'string') {
      fields[name] = (value as string[]).map(copyOf);
    }
  }
  return record;
}

/** Characters from which on engines cut a text out of another without a copy; a shorter one is one. */
const SLICE_LENGTH = 13;

/** A text that keeps no other one alive: joining and cutting makes the engine build it anew. */
export function copyOf(text: string): string {
  return ` ${text}`.slice(1);
}
