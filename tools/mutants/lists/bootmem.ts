/** Breaks of bootmem: what another option would do, where memory went, the page of a report. */
import type { Mutant } from '../mutant.js';

const mutants: readonly Mutant[] = [
  // What another option would do.
  {
    name: 'crash kernel: not below 4 GiB first',
    file: 'what-if/requests/crashkernel.ts',
    find: ': (takeFor(context, below) ?? takeFor(context, above));',
    put: ': (takeFor(context, above) ?? takeFor(context, below));',
    first: 'what-if.test',
  },
  {
    name: 'crash kernel: no low part beside one above 4 GiB',
    file: 'what-if/requests/crashkernel.ts',
    find: 'if (found.start < LOW_END || lowBytes === 0) return [outcome([found])];',
    put: 'if (found !== undefined) return [outcome([found])];',
    first: 'what-if.test',
  },
  {
    name: 'crash kernel: a place in use is taken all the same',
    file: 'what-if/requests/crashkernel.ts',
    find: 'if (offset !== undefined && offset > 0) {',
    put: 'if (offset !== undefined && offset < 0) {',
    first: 'what-if.test',
  },
  {
    name: 'gigantic pages: all from the first node',
    file: 'what-if/requests/huge-pages.ts',
    find: 'const turn = page % nids.length;',
    put: 'const turn = 0;',
    first: 'what-if.test',
  },
  {
    name: 'the direct map: not upwards with movable_node',
    file: 'what-if/rerun/direct-map-steps.ts',
    find: 'if (plan.description.options.movableNode) {',
    put: 'if (plan.description.options.movableNode && buffer < 0) {',
    first: 'what-if.test',
  },
  {
    name: 'the direct map: parts of an entry need tables upwards',
    file: 'what-if/rerun/direct-map.ts',
    find: 'Math.ceil(next / ENTRY) * ENTRY,',
    put: 'next,',
    first: 'what-if',
  },
  {
    name: 'the rerun: early requests are searched from the top with movable_node',
    file: 'what-if/rerun/rerun.ts',
    find: "if (input.other.description.options.movableNode) this.#memblock.direction = 'bottom-up';",
    put: '',
    first: 'what-if.test',
  },
  {
    name: 'the rerun: a bounce buffer of another size keeps its size',
    file: 'what-if/rerun/size-rules.ts',
    find: 'if (request.size === before) return [{ ...request, size: after! }];',
    put: 'if (request.size === before) return [request];',
    first: 'what-if.test',
  },
  {
    name: 'random places: only where the image lies today',
    file: 'what-if/random-places.ts',
    find: 'if (fits && !meets && isFree',
    put: 'if (fits && !meets && place === image.start && isFree',
    first: 'what-if.test',
  },
  {
    name: 'random places: over what lies beside the image',
    file: 'what-if/random-places.ts',
    find: ' && isFree(others, place, place + size)',
    put: '',
    first: 'what-if-odd-logs.test',
  },
  {
    name: 'random places: the image does not move',
    file: 'what-if/image.ts',
    find: 'return isPart ? { ...range, start: range.start + this.by, end: range.end + this.by } : range;',
    put: 'return isPart ? { ...range } : range;',
    first: 'what-if.test',
  },
  {
    name: 'random places: what fails somewhere is not told',
    file: 'what-if/random-places.ts',
    find: 'if (ranges.length < Math.min(wanted, own.least)) own.failsAt = image;',
    put: '',
    first: 'what-if.test',
  },
  {
    name: 'nodes that were faked are forgotten',
    file: 'what-if/other-boot.ts',
    find: 'faked: isKept ? faked : [],',
    put: 'faked: [],',
    first: 'what-if.test',
  },
  {
    name: 'an unknown figure shows a value',
    file: 'what-if/compare.ts',
    find: "const value = certainty === 'unknown' ? undefined : after?.value;",
    put: 'const value = after?.value;',
    first: 'what-if.test',
  },
  {
    name: 'contiguous areas of arm64 lie above 4 GiB',
    file: 'what-if/requests/cma.ts',
    find: 'const end = isFixed ? from + size : (to ?? deviceLimit(context));',
    put: 'const end = isFixed ? from + size : to;',
    first: 'what-if.test',
  },
  // Where memory went.
  {
    name: 'memory above the zones counts as present',
    file: 'accounts/base/subject.ts',
    find: "if (architecture !== 'i386' || printed.zoneRanges.length === 0) return Infinity;",
    put: 'if (architecture !== undefined) return Infinity;',
    first: 'accounts',
  },
  {
    name: 'a hash table that the hypervisor keeps is reserved',
    file: 'accounts/reserved/page-tables.ts',
    find: "if (table?.bytes === undefined || find('hypervisor-page-table') !== undefined) return [];",
    put: 'if (table?.bytes === undefined) return [];',
    first: 'accounts',
  },
  // The page.
  {
    name: 'a bar begins at the left of what is shown',
    file: 'report/memory-section.ts',
    find: 'if (!isWhole) end = start;',
    put: '',
    first: 'report',
  },
  {
    name: 'time does not begin at 0',
    file: 'report/drawings/timeline.ts',
    find: 'const domain = { from: 0, to: Math.max(end, firstAllocationMs, 0.001) };',
    put: 'const domain = { from: firstAllocationMs, to: Math.max(end, firstAllocationMs, 0.001) };',
    first: 'report',
  },
  {
    name: 'the policy allows every script',
    file: 'report/render-report.ts',
    find: '["\'@script-hash\'", () => scriptHash(template, script)],',
    put: '["\'@script-hash\'", () => "\'unsafe-inline\'"],',
    first: 'report',
  },
  {
    name: 'a trace begins with the boot, not with its threads',
    file: 'format/exports/trace-json.ts',
    find: 'const start = timing.threadStartMs;',
    put: 'const start = 0;',
    first: 'exports',
  },
  {
    name: 'metrics count pages as bytes',
    file: 'format/exports/open-metrics.ts',
    find: '[{ node: zone.nid, zone: zone.name, state }, pages * PAGE_SIZE] as const,',
    put: '[{ node: zone.nid, zone: zone.name, state }, pages] as const,',
    first: 'exports',
  },
];

export default mutants;
