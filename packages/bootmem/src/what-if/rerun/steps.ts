/**
 * The log's operations as steps of the rerun: which stay, which get another size, which come and go with options.
 *
 * | who asks                        | depends on                    | the other boot                                  |
 * |---------------------------------|-------------------------------|-------------------------------------------------|
 * | setup_log_buf                   | log_buf_len=                  | scaled; all of them or none                     |
 * | init_mem_mapping, alloc_low_pages | the map                     | page tables worked out anew                     |
 * | relocate_initrd                 | whether it lies in memory     | moved into memory                               |
 * | numa_alloc_distance, node data  | nodes                         | as many as nodes                                |
 * | crash kernel, CMA, huge pages, reserve_mem | options            | today's go, wished ones come                    |
 * | sparse_init, vmemmap            | sections, their nodes         | as many as sections                             |
 * | resources, nosave regions       | entries of the map            | as many as entries                              |
 * | copies of the command line      | its length                    | as long                                         |
 * | alloc_large_system_hash         | amount of memory, nodes       | sized by the kernel's rule; none with many nodes |
 * | swiotlb                         | memory above 4 GiB, swiotlb=  | sized, or gone                                  |
 * | everything else                 | the machine and the build     | the same request                                |
 */
import type { MemblockDump, MemblockOperation } from '@bootmem/firmware-map/types';
import { isUnasked, nodeSetLine } from '../../check/replay-machine.js';
import type { ByteSpan } from '../../explain-result.js';
import type { Request } from '../../plan/search.js';
import { asksOf } from '../releases.js';
import type { WishStage } from '../requests/wishes.js';
import { directMapSteps } from './direct-map-steps.js';
import { initrdOf } from './initrd.js';
import type { Initrd } from './initrd.js';
import { logOf } from './log-of.js';
import { askForSections, sectionPattern } from './sections.js';
import type { SectionPattern } from './sections.js';
import { SizeRules } from './size-rules.js';
import type { Ranged, RerunInput, Step } from './types.js';

/** Cuts the log into steps. */
export function planSteps(input: RerunInput, first: MemblockDump): Step[] {
  return new Steps(input, first).all();
}

class Steps {
  readonly #input: RerunInput;
  readonly #operations: readonly MemblockOperation[];
  readonly #steps: Step[] = [];
  readonly #rules: SizeRules;
  readonly #sections: SectionPattern | undefined;
  readonly #initrd: Initrd | undefined;
  readonly #setAt: number;
  readonly #done = new Set<string>();
  readonly #logBuffer: { request: Request; was?: ByteSpan }[] = [];

  constructor(input: RerunInput, first: MemblockDump) {
    const { description } = input.today;
    this.#input = input;
    this.#operations = logOf(description, first);
    this.#rules = new SizeRules(input);
    this.#initrd = initrdOf(description);
    this.#sections = sectionPattern(this.#operations, input.today);
    this.#setAt = nodeSetLine(description, this.#operations);
  }

  all(): Step[] {
    const operations = this.#operations;
    for (let index = 0; index < operations.length; index++) {
      const one = operations[index]!;
      this.#between(one, index);
      index = this.#step(one, index);
    }
    this.#between({ line: Infinity }, operations.length);
    for (const request of this.#rules.late()) this.#push({ kind: 'request', request });
    for (const why of this.#rules.doubts) this.#push({ kind: 'doubt', why });
    return this.#steps;
  }

  #push(step: Step): void {
    this.#steps.push(step);
  }

  /** True the first time. */
  #once(name: string): boolean {
    if (this.#done.has(name)) return false;
    this.#done.add(name);
    return true;
  }

  /** What the kernel does between two operations, once the place for it is reached. */
  #between(next: { readonly line: number }, index: number): void {
    const { line } = next;
    const isLogBuffer = this.#caller(index).includes('setup_log_buf');
    if (this.#logBuffer.length > 0 && !isLogBuffer) {
      const requests = this.#logBuffer.splice(0);
      // What failed is asked for once more later; it fails again, or it did not fail here.
      if (this.#once('log buffer')) this.#push({ kind: 'group', requests });
    }
    if (this.#initrd !== undefined && line >= this.#initrd.line && this.#once('ramdisk')) {
      this.#push({ kind: 'ramdisk', request: this.#request('relocate_initrd', line) });
    }
    if (line >= this.#setAt && this.#once('nodes')) this.#nodes(line);
    if (this.#isGiganticPlace(index) && this.#once('gigantic')) this.#wish('gigantic', line);
    if (this.#isCommandLinePlace(index) && this.#once('command line')) {
      if (this.#once('gigantic')) this.#wish('gigantic', line);
      this.#wish('command-line', line);
    }
  }

  #caller(index: number): string {
    const one = this.#operations[index];
    return one !== undefined && 'caller' in one ? one.caller : '';
  }

  #request(caller: string, line: number): Request {
    const kernelName = 'memblock_phys_alloc_range';
    return { op: 'alloc', kernelName, size: 0, align: 4096, from: 0, maxAddr: 0, caller, line };
  }

  #wish(stage: WishStage, line: number): void {
    const wishes = this.#input.wishes.filter((wish) => wish.stage === stage);
    if (wishes.length > 0) this.#push({ kind: 'wishes', wishes, line });
  }

  #nodes(line: number): void {
    const { other, differs } = this.#input;
    this.#push({ kind: 'nodes' });
    if (differs.nodes && other.derived.nodeSource === 'numa-fake') {
      const count = other.layout.nodes.length;
      const request = { ...this.#request('numa_alloc_distance', line), size: count * count };
      this.#push({ kind: 'request', request });
    }
    this.#push({ kind: 'node-data', size: this.#nodeDataSize(), line });
    this.#wish('nodes', line);
  }

  #nodeDataSize(): number {
    const [data] = this.#input.today.description.numa.nodeData;
    return data === undefined ? 0 : data.end - data.start;
  }

  /** Newer kernels take gigantic pages before descriptors, older ones with the command line. */
  #isGiganticPlace(index: number): boolean {
    const first = this.#sections?.first ?? Infinity;
    return asksOf(this.#input.today.kernel.release).giganticFirst && index >= first - 2;
  }

  /** The kernel reads options right before it tells of unknown ones; without those, tables come next. */
  #isCommandLinePlace(index: number): boolean {
    const caller = this.#caller(index);
    const frees = this.#operations[index + 2];
    const isUnknownOptions =
      caller.startsWith('start_kernel') &&
      frees?.op === 'free' &&
      frees.caller.startsWith('start_kernel');
    return (
      isUnknownOptions ||
      caller.startsWith('alloc_large_system_hash') ||
      index >= this.#operations.length
    );
  }

  /** Turns one operation, with its answer, into steps. @returns the last index that it used */
  #step(one: MemblockOperation, index: number): number {
    const map = directMapSteps(this.#input, this.#operations, index);
    if (map !== undefined) {
      for (const step of map.steps) this.#push(step);
      return map.last;
    }
    if (this.#sections !== undefined && index === this.#sections.first) {
      return this.#askForSections(this.#sections);
    }
    if (one.op === 'alloc') return this.#ask(one, index);
    if (one.op === 'free') {
      if (one.line !== this.#initrd?.moved?.freeLine) this.#push({ kind: 'free', operation: one });
      return index;
    }
    if (one.op === 'grow') {
      this.#push({
        kind: 'doubt',
        why: 'today’s log shows that memblock’s arrays of regions grew',
      });
      return index;
    }
    if (one.op === 'reserve' && this.#isTakenAnew(one, index)) return index;
    this.#push({ kind: 'fixed', operation: one });
    return index;
  }

  #askForSections(pattern: SectionPattern): number {
    // A log with today's options is done again request by request: that shows whether the pattern is understood.
    this.#push({
      kind: 'generate',
      run: ({ plan, nodeData, take }) => {
        const starts = new Map([...nodeData].map(([nid, { start }]) => [nid, start]));
        askForSections(plan, pattern, starts, take);
      },
    });
    return pattern.end - 1;
  }

  #ask(request: Request, index: number): number {
    const answer = this.#operations[index + 1];
    const was =
      answer?.op === 'reserve' && answer.end - answer.start === request.size ? answer : undefined;
    const last = was === undefined ? index : index + 1;
    if (
      request.line === this.#initrd?.moved?.requestLine ||
      (was !== undefined && this.#isWish(request, was))
    )
      return last;
    if (request.caller.includes('numa_alloc_distance') && this.#input.differs.nodes) return last;
    for (const asked of this.#rules.apply(request)) {
      const step =
        asked === request && was !== undefined ? { request: asked, was } : { request: asked };
      if (request.caller.includes('setup_log_buf')) this.#logBuffer.push(step);
      else this.#push({ kind: 'request', ...step, ...(was === undefined ? {} : { was }) });
    }
    return last;
  }

  /** Node data, contiguous areas and the like are taken without a printed request. */
  #isTakenAnew(one: Ranged, index: number): boolean {
    const { numa, printed } = this.#input.today.description;
    if (!isUnasked(this.#operations, index)) return false;
    const isOf = (ranges: readonly ByteSpan[]): boolean =>
      ranges.some(({ start, end }) => start <= one.start && one.end <= end);
    const areas = (printed.cma ?? []).flatMap(({ start, bytes }) =>
      start === undefined ? [] : [{ start, end: start + bytes }],
    );
    const data = numa.nodeData.some(({ start, end }) => one.end > start && one.start < end);
    return data || isOf(areas);
  }

  #isWish(request: Request, was: ByteSpan): boolean {
    const { printed } = this.#input.today.description;
    const { caller, kernelName, align, size } = request;
    const isGigantic =
      align === size &&
      /alloc_bootmem|bootmem_huge_page|alloc_hugetlb/.test(`${kernelName} ${caller}`);
    if (isGigantic || /^reserve_mem\b/.test(caller)) return true;
    return printed.crashkernel.some(({ start, end }) => start === was.start && end === was.end);
  }
}
