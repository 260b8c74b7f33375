/**
 * Requests whose size, number or existence follows from the map, the command line or the amount of memory. Each rule is
 * tried on today's machine first: where it does not give today's request, it is not used, and a doubt says so.
 */
import { bootManagedPages } from '@bootmem/buddy-allocator/zones';
import { parseSize, splitCommandLine } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { omit } from '../omit.js';
import type { Request } from '../../plan/search.js';
import { FILES_SCALE, hashTableBytes, NAMES_SCALE, nosaveRegions } from './small-tables.js';
import { asksOf } from '../releases.js';
import type { RerunInput } from './types.js';

const PAGE = 4096;
const MIB = 2 ** 20;
/** Bytes of an entry of /proc/iomem's list, and of a record about a stretch that hibernation leaves alone. */
const RESOURCE = 64;
const NOSAVE = 32;
/** Bounce buffer: bytes of a slot, its record; slots are counted in groups; bytes without an option. */
const SLOT = 2048;
const SLOT_RECORD = 24;
const SLOT_GROUP = 128;
/** Bytes of what is kept of an area of slots; there is one for each processor. */
const AREA_RECORD = 16;
const USUAL_BOUNCE = 64 * MIB;
const LOW_END = 2 ** 32;
/** Characters that a log has of a command line at least, before it cuts one. */
const LONGEST_LINE = 960;

/** Sizes of requests on the other machine. */
export class SizeRules {
  readonly #input: RerunInput;
  readonly #doubts = new Set<string>();
  #hashTables = 0;
  #nosave = 0;
  #resources = false;

  constructor(input: RerunInput) {
    this.#input = input;
    const { today, other, differs } = input;
    const { cpus } = today.description;
    const count = cpus.cpuIds ?? cpus.possible ?? cpus.online ?? 1;
    const before = nidsOf(today);
    if (before.join() !== nidsOf(other).join() && count > 1) {
      this.#doubts.add(
        'areas for each processor are laid out by node, in a way that does not follow from the log',
      );
    }
    if (today.description.options.movableNode && !other.description.options.movableNode) {
      this.#doubts.add(
        'with movable_node, a log does not show which page tables a boot without it needs',
      );
    }
    if (differs.nodes && today.description.numa.srat.length > 0) {
      this.#doubts.add('tables of distances between nodes come and go');
    }
  }

  /** Reasons why sizes may be off. */
  get doubts(): readonly string[] {
    return [...this.#doubts];
  }

  /** The request on the other machine: itself where nothing differs, several, or none. */
  apply(request: Request): Request[] {
    const { caller } = request;
    if (caller.startsWith('setup_log_buf')) return this.#logBuffer(request);
    if (caller.startsWith('alloc_large_system_hash')) return this.#hashTable(request);
    if (caller.startsWith('swiotlb')) return this.#bounceBuffer(request);
    if (this.#isCommandLine(request)) return [this.#commandLine(request)];
    if (this.#isResources(request)) return this.#resourceList(request);
    if (this.#isNosave(request)) return this.#nosaveRecords(request);
    if (request.nid !== undefined && !nidsOf(this.#input.other).includes(request.nid)) {
      return [omit(request, 'nid')];
    }
    return [request];
  }

  /** What today's boot did not need, and comes last. */
  late(): Request[] {
    const { today, other } = this.#input;
    const { description } = other;
    if (needsBounceBuffer(today) || !needsBounceBuffer(other)) return [];
    const bytes = bounceBytes(description);
    const { cpus } = description;
    const areas = 2 ** Math.ceil(Math.log2(cpus.possible ?? cpus.cpuIds ?? cpus.online ?? 1));
    const caller = 'swiotlb_init_remap';
    const own = {
      op: 'alloc',
      kernelName: 'memblock_alloc_try_nid',
      from: 0,
      caller,
      line: Infinity,
    } as const;
    return [
      { ...own, size: bytes, align: PAGE, maxAddr: LOW_END - 1 },
      { ...own, size: pages((bytes / SLOT) * SLOT_RECORD), align: PAGE, maxAddr: 0 },
      ...(asksOf(other.kernel.release).bounceAreas
        ? [{ ...own, size: areas * AREA_RECORD, align: 0x40, maxAddr: 0 }]
        : []),
    ];
  }

  #logBuffer(request: Request): Request[] {
    const before = this.#input.today.description.options.logBufLen;
    const after = this.#input.other.description.options.logBufLen;
    if (before === after) return [request];
    if (before === undefined || after === undefined) {
      this.#doubts.add('the log buffer’s size without log_buf_len= is a choice of the build');
      return after === undefined ? [] : [request];
    }
    return [{ ...request, size: (request.size / before) * after }];
  }

  #hashTable(request: Request): Request[] {
    const { today, other } = this.#input;
    const scale = [NAMES_SCALE, FILES_SCALE][this.#hashTables++];
    // Tables that are spread over nodes come later, from another allocator.
    if (nidsOf(other).length > 1) return [];
    if (scale === undefined || presentOf(today) === presentOf(other)) return [request];
    const [before, after] = [kernelPages(today), kernelPages(other)].map((pages) =>
      hashTableBytes(pages, scale),
    );
    if (before !== request.size) {
      this.#doubts.add('the size of hash tables does not follow from the amount of memory');
      return [request];
    }
    return [{ ...request, size: after! }];
  }

  #bounceBuffer(request: Request): Request[] {
    const { today, other } = this.#input;
    if (!needsBounceBuffer(other)) return [];
    const [before, after] = [today, other].map(({ description }) => bounceBytes(description));
    if (before === after) return [request];
    if (request.size === before) return [{ ...request, size: after! }];
    const records = pages((before! / SLOT) * SLOT_RECORD);
    return request.size === records
      ? [{ ...request, size: pages((after! / SLOT) * SLOT_RECORD) }]
      : [request];
  }

  /** Two copies, each with a byte at its end; newer kernels do not print who asks. A log may cut a long line. */
  #isCommandLine({ size, align, caller }: Request): boolean {
    const text = this.#input.today.description.commandLine?.text ?? '';
    const isCut = text.length >= LONGEST_LINE && size > text.length && size < 2 * LONGEST_LINE;
    const isOwn = /^start_kernel|^setup_command_line|alloc_or_panic/.test(caller);
    return align === 0x40 && isOwn && (size === text.length + 1 || isCut);
  }

  #commandLine(request: Request): Request {
    const text = this.#input.other.description.commandLine?.text ?? '';
    return { ...request, size: text.length + 1 };
  }

  /** One list for all entries; asked for right before the records of the firmware's own map. */
  #isResources({ caller, size, align }: Request): boolean {
    if (this.#resources || align !== 0x40) return false;
    const isNamed = caller.startsWith('e820__reserve_resources');
    const isHidden =
      caller.includes('alloc_or_panic') && size === RESOURCE * mapOf(this.#input.today).length;
    return isNamed || isHidden;
  }

  #resourceList(request: Request): Request[] {
    this.#resources = true;
    const before = mapOf(this.#input.today).length * RESOURCE;
    if (!this.#input.differs.map) return [request];
    if (before !== request.size) {
      this.#doubts.add('the kernel’s copy of the map has more entries than follow from the log');
      return [request];
    }
    return [{ ...request, size: mapOf(this.#input.other).length * RESOURCE }];
  }

  #isNosave({ caller, size, align }: Request): boolean {
    if (size !== NOSAVE || align !== 0x40) return false;
    return (
      caller.startsWith('register_nosave_region') ||
      (this.#resources && caller.includes('alloc_or_panic'))
    );
  }

  #nosaveRecords(request: Request): Request[] {
    const { today, other, differs } = this.#input;
    if (!differs.map) return [request];
    const [before, after] = [today, other].map((plan) => nosaveRegions(mapOf(plan), plan.maxPfn));
    const index = this.#nosave++;
    if (index >= before!) return [request];
    // The last of today's stands for those that come besides.
    const isLast = index === before! - 1;
    const count = isLast ? Math.max(0, after! - index) : index < after! ? 1 : 0;
    return Array.from({ length: count }, () => ({ ...request }));
  }
}

function nidsOf({ layout }: LayoutPlan): number[] {
  return layout.nodes.filter((node) => node.presentPages > 0).map(({ nid }) => nid);
}

function presentOf({ layout }: LayoutPlan): number {
  return layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
}

/** Pages that the kernel thinks it has when tables are made. */
function kernelPages(plan: LayoutPlan): number {
  return plan.layout.nodes
    .flatMap((node) => node.zones)
    .reduce((sum, zone) => sum + bootManagedPages(zone, plan.kernel.buddy, 0), 0);
}

/** The kernel's own copy of the map, once options and its own edits are in. */
function mapOf({ derived }: LayoutPlan): LayoutPlan['derived']['map'] {
  return derived.map;
}

/** Devices may not reach memory above 4 GiB, nor memory that may be added there. */
export function needsBounceBuffer({ maxPfn, description }: LayoutPlan): boolean {
  const words = splitCommandLine(description.commandLine?.text ?? '');
  const forced = words.findLast(({ name }) => name === 'swiotlb')?.value ?? '';
  if (forced.includes('noforce')) return false;
  if (forced.includes('force')) return true;
  const added = description.numa.srat.some(({ hotplug, end }) => hotplug && end > LOW_END);
  return maxPfn * PAGE > LOW_END || added;
}

/** Bytes of the bounce buffer. */
export function bounceBytes({ commandLine }: MachineDescription): number {
  const words = splitCommandLine(commandLine?.text ?? '');
  const value = words.findLast(({ name }) => name === 'swiotlb')?.value ?? '';
  const slots = parseSize(value.split(',')[0] ?? '');
  if (slots === undefined || slots === 0) return USUAL_BOUNCE;
  return Math.max(1, Math.ceil(slots / SLOT_GROUP)) * SLOT_GROUP * SLOT;
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}
